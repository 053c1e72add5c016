import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError, teardown } from "../../src/core/index.ts";
import { decodeLatin1 } from "../../src/core/text.ts";
import { Fields, Request, Response, Serializer, serve } from "../../src/http/index.ts";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import { bytesOf } from "../http/support/samples.ts";
import { check, escaped, oracles } from "./support/http-check.ts";
import { corpus } from "./support/http-corpus.ts";
import { eachMutated } from "./support/http-mutations.ts";
import { ours, type Input, type Seen } from "./support/http-seen.ts";

// The differences between parsers, end to end: what our server makes of a stream of requests, and whether what goes through
// our parser and serializer, as through a proxy, is framed by others as it was by us.

/** A request as a handler has seen it. */
interface Handled {
  readonly start: readonly string[];
  readonly headers: readonly string[];
  readonly body: string;
}

/** What our server has handled of a stream, and all that it has answered. */
async function handledOf(text: string, options: PairOptions): Promise<{ handled: Handled[]; answers: string }> {
  const [client, server] = pair({ record: true }, options);
  const handled: Handled[] = [];
  const served = serve(server, async (request) => {
    const start = [request.method, request.target, `1.${request.version - 10}`];
    const body = await request.bytes();
    handled.push({ start, headers: request.headers.raw, body: decodeLatin1(body, 0, body.length) });
    // No tunnel, which would have no body.
    return new Response({ status: 299, reason: "Handled", ...(request.method !== "CONNECT" && { body: "handled" }) });
  });
  const bytes = bytesOf(text);
  let sent = 0;
  const send = (): void => {
    // In the server's role one ends one's side first, and reads what comes then.
    if (sent === bytes.length) return teardown(client, "server", () => {});
    client.writeSome(bytes.subarray(sent), (error, written) => {
      sent += written;
      // Where the server has had enough, what it has answered is still to be read.
      if (error === undefined) send();
      else teardown(client, "server", () => {});
    });
  };
  send();
  await served.catch((error: unknown) => assert.ok(error instanceof ServalError));
  const answers = client.received;
  return { handled, answers: decodeLatin1(answers, 0, answers.length) };
}

/** The messages in a stream, one behind the other, as our parser has them; the last one may be none. */
function messagesIn(text: string): { rest: string; seen: Seen }[] {
  const messages: { rest: string; seen: Seen }[] = [];
  for (let rest = text; rest !== "";) {
    const seen = ours({ kind: "request", text: rest });
    messages.push({ rest, seen });
    if (seen.end !== "whole") break;
    rest = rest.slice(seen.at);
  }
  return messages;
}

describe("our server", () => {
  for (const options of [{}, { maxRead: 7 }]) {
    it(`handles what our parser has seen, and all see alike, read by ${options.maxRead ?? "any number of bytes"}`, async () => {
      let smuggled = 0;
      for (const { text } of corpus.filter(({ kind }) => kind === "request")) {
        const messages = messagesIn(text);
        const { handled, answers } = await handledOf(text, options);
        for (const [index, { start, headers, body }] of handled.entries()) {
          const { rest, seen } = messages[index]!;
          assert.deepEqual([start, headers, body], [seen.head?.start, seen.head?.headers, seen.body], escaped(text));
          assert.equal(seen.end, "whole");
          // Others end the message in the same place, so what is behind it is the next one for all.
          check({ kind: "request", text: rest });
          if (start[1] === "/smuggled") smuggled++;
        }
        // Behind a refusal, and behind what is the last by its own word, nothing is taken for a request.
        const statuses = Array.from(answers.matchAll(/HTTP\/1\.1 (?!100)(\d{3})/g), ([, status]) => status!);
        const refusal = statuses.length > handled.length ? statuses.pop()! : "";
        assert.match(refusal, /^$|^[45]/, escaped([text, answers]));
        assert.deepEqual(
          statuses,
          handled.map(() => "299"),
          escaped([text, answers]),
        );
        if (messages[handled.length]?.seen.end === "refused" && refusal === "") {
          assert.match(answers, /Connection: close/, escaped([text, answers]));
        }
      }
      assert.ok(smuggled > 100);
    });
  }
});

/** What a proxy would send on; undefined where our serializer refuses to. */
function forwarded(
  { kind, method = "GET" }: Input,
  { head, body, trailers }: Seen,
  start = head!.start,
): string | undefined {
  const [first, second, version] = start;
  const headers = Fields.fromRaw([...head!.headers]);
  const common = { version: version === "1.0" ? 10 : 11, headers, body: new Uint8Array(0) };
  // The body goes in parts, as it comes.
  const parts = [body.slice(0, 1), body.slice(1)].filter((part) => part !== "").map(bytesOf);
  const source = {
    size: headers.has("Transfer-Encoding") ? undefined : body.length,
    async *[Symbol.asyncIterator]() {},
  };
  try {
    const message =
      kind === "request"
        ? new Request({ ...common, method: first, target: second, body: source as never })
        : new Response({ ...common, status: Number(first), reason: second, body: source as never });
    const serializer = new Serializer(message, { request: { method, version: 11 } });
    if (serializer.needsBody || serializer.source !== undefined) {
      for (const part of parts) serializer.put(part);
      serializer.end(Fields.fromRaw([...trailers]));
    }
    return serializer
      .next()
      .map((bytes) => decodeLatin1(bytes, 0, bytes.length))
      .join("");
  } catch (error) {
    if (error instanceof ServalError) return undefined;
    throw error;
  }
}

/** Parses, serializes and has others parse. Returns whether anything was sent on. */
function forward(input: Input): boolean {
  const seen = ours(input);
  if (seen.end !== "whole") return false;
  let start = seen.head!.start;
  for (const [name, oracle] of Object.entries(oracles)) {
    const next = input.kind === "request" ? "GET /next HTTP/1.1\r\nHost: a\r\n\r\n" : "HTTP/1.1 204 Next\r\n\r\n";
    let text = forwarded(input, seen, start);
    if (text === undefined) return false;
    let theirs = oracle({ ...input, text: text + next });
    if (input.kind === "request" && theirs.end === "refused" && theirs.head === undefined) {
      // A method or a target that it does not have: the rest must do with another one.
      start = ["OPTIONS", "/", start[2]];
      text = forwarded(input, seen, start)!;
      theirs = oracle({ ...input, text: text + next });
    }
    const because = `${name}: ${escaped([input, text, theirs])}`;
    const version = input.kind === "request" ? start[2] : "1.1";
    assert.equal(theirs.end, "whole", because);
    assert.equal(theirs.at, text.length, because);
    assert.deepEqual(theirs.head!.start, [start[0], start[1], version], because);
    const { headers } = theirs.head!;
    const own = seen.head!.headers;
    assert.deepEqual(headers.slice(0, own.length), own, because);
    assert.ok(
      [0, 2].includes(headers.length - own.length) && ["Content-Length", undefined].includes(headers[own.length]),
      because,
    );
    assert.equal(theirs.body, seen.body, because);
    assert.deepEqual(theirs.trailers, seen.trailers, because);
  }
  return true;
}

describe("a message that goes through our parser and serializer", () => {
  it("is framed by others as it was by us", () => {
    const sent = corpus.filter(forward);
    assert.ok(sent.length > 400, String(sent.length));
  });

  it("is so too when it was mutated", () => {
    let sent = 0;
    const count = eachMutated(5000, (input) => {
      if (forward(input)) sent++;
    });
    assert.ok(sent > count / 4, String(sent));
  });
});
