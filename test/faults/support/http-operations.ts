// Every operation of HTTP, and every two that overlap on one stream, with each operation of the stream below failing in each way.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer, type ByteStream } from "../../../src/core/index.ts";
import { giveBack, takeBlock } from "../../../src/core/internal.ts";
import {
  FinalResponseParser,
  read,
  readHeader,
  readResponse,
  readSome,
  request,
  Request,
  RequestParser,
  Response,
  Serializer,
  serve,
  write,
  writeHeader,
  writeSome,
  type Body,
  type BodyStream,
} from "../../../src/http/index.ts";
import type { Failure, Run } from "../../../src/testing/index.ts";
import { outcomes } from "../../support/outcomes.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { quiet } from "../../support/quiet.ts";
import { holds, Using, type Done } from "./using.ts";

/** What an operation is started with. */
interface Given {
  readonly stream: ByteStream;
  readonly buffer: FlatBuffer;
  readonly run: Run;
  /** Keeps the sources of bodies, each of which has to be let go of. */
  readonly parts: () => BodyStream;
  /** Is told what handlers fail with that is no failure of the stream. */
  readonly told: (error: unknown) => void;
}

interface Operation {
  start(given: Given, done: Done): void;
  /** What the peer says to it. */
  readonly says?: string;
  /** Which side of the stream it takes: another operation of that side has to wait. */
  readonly takes: "read" | "write" | "both";
}

const post =
  "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n";
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** Something that returns a promise. */
const task =
  (act: (given: Given) => Promise<unknown>): Operation["start"] =>
  (given, done) =>
    void act(given).then(() => done(), done);

const ask = (given: Given, headers: Record<string, string>, body: Body): Promise<unknown> => {
  const { stream, buffer, run } = given;
  const message = new Request<Body>({ method: "POST", headers: { Host: "h", ...headers }, body });
  return request(stream, message, { buffer, clock: run.clock, signal: run.signal }).then((response) => response.text());
};

const operations: Readonly<Record<string, Operation>> = {
  read: {
    start: ({ stream, buffer, run }, done) =>
      read(stream, buffer, new RequestParser(), { signal: run.signal }, (error) => done(error)),
    says: post,
    takes: "read",
  },
  "readHeader, readSome": {
    start: task(async ({ stream, buffer, run: { signal } }) => {
      const parser = new RequestParser();
      await readHeader(stream, buffer, parser, { signal });
      while ((await readSome(stream, buffer, parser, { signal })) !== undefined);
    }),
    says: post,
    takes: "read",
  },
  readResponse: {
    start: ({ stream, buffer, run }, done) => {
      const parser = new FinalResponseParser();
      readResponse(stream, buffer, parser, { signal: run.signal }, (error) => done(error));
    },
    says: `HTTP/1.1 103 Early\r\n\r\n${answer}`,
    takes: "read",
  },
  write: {
    start: ({ stream, run }, done) => write(stream, new Response({ body: "hello" }), { signal: run.signal }, done),
    takes: "write",
  },
  "write of parts": {
    start: ({ stream, run, parts }, done) =>
      write(stream, new Response<Body>({ body: parts() }), { signal: run.signal }, done),
    takes: "write",
  },
  "writeHeader, writeSome": {
    start: task(async ({ stream, run: { signal } }) => {
      const serializer = new Serializer(new Response({ body: "hello" }), { split: true });
      await writeHeader(stream, serializer, { signal });
      while (!serializer.isDone) await writeSome(stream, serializer, { signal });
    }),
    takes: "write",
  },
  request: { start: task((given) => ask(given, {}, Buffer.from("hello"))), says: answer, takes: "both" },
  "request with a body in parts": {
    start: task((given) => ask(given, { Expect: "100-continue" }, given.parts())),
    says: `HTTP/1.1 100 Continue\r\n\r\n${answer}`,
    takes: "both",
  },
  serve: {
    start: ({ stream, buffer, run: { clock, signal }, parts, told }, done) => {
      const buffered = buffer.data();
      serve(
        stream,
        async (message) => new Response<Body>({ body: message.method === "GET" ? parts() : await message.bytes() }),
        { clock, signal, buffered: new Uint8Array(buffered), error: told },
        done,
      );
      buffer.consume(buffered.length);
    },
    says: `${post}GET / HTTP/1.1\r\nHost: h\r\n\r\n${post}`,
    takes: "both",
  },
};

/** A body in parts that knows whether it is in use. */
class Parts implements AsyncIterator<Uint8Array, undefined> {
  isInUse = false;
  #left = 3;

  [Symbol.asyncIterator](): this {
    this.isInUse = true;
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    await Promise.resolve();
    return this.#left-- > 0 ? { done: false, value: Buffer.from("part") } : this.return();
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.isInUse = false;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** The block of the pool that is taken next: the one that was given back last. */
function nextBlock(): Uint8Array {
  const block = takeBlock();
  giveBack(block);
  return block;
}

/** Makes the two ends of a connection in a run: the one whose operations fail, and its peer's. */
export type Connect = (run: Run) => Promise<readonly [ByteStream, ByteStream]>;

/** Starts operations on one stream; the peer says what they want to hear, and ends. */
function using(
  connect: Connect,
  [one, other]: readonly [Operation, Operation?],
  isInside: boolean,
  known: readonly string[],
): (run: Run) => Promise<void> {
  return async (run) => {
    const [stream, side] = await connect(run);
    const peer = new RawPeer(side);
    const made = new Using(run, stream);
    const block = nextBlock();
    const sources: Parts[] = [];
    const parts = (): Parts => {
      const source = new Parts();
      sources.push(source);
      return source;
    };
    const errors: unknown[] = [];
    const told = (error: unknown): void => void errors.push(error);
    const given: Given = { stream, buffer: new FlatBuffer(), run, parts, told };
    const startOther = (): void => {
      if (other === undefined) return;
      made.start((done) => other.start(given, done));
      // Of two that read at once, the second hears nothing.
      if (isInside || one.takes === "write") void peer.write(other.says ?? "");
    };
    made.start((done) => one.start(given, done), isInside ? startOther : undefined);
    if (!isInside) startOther();
    await quiet();
    void peer.write(one.says ?? "");
    await quiet(3);
    if (peer.error === undefined) side.shutdown(() => {});
    // The peer has ended long before an operation that starts in the handler of one that stalled.
    await made.finish(isInside && run.failure === "stall" ? [...known, "http.end_of_stream"] : known);
    side.close();
    assert.deepEqual(errors, []);
    // The blocks of a write that was in flight when the stream closed are left to the collector.
    if (other === undefined && outcomes(run).length === 0)
      assert.equal(nextBlock(), block, "a block was not given back");
    assert.ok(sources.every(({ isInUse }) => !isInUse));
  };
}

const named = Object.entries(operations);

/**
 * Every operation, alone over each of these connections; and every two over the first of them, in one tick and in each
 * other's handlers.
 */
export function everyHttpOperation(connects: readonly [Connect, ...Connect[]], failures?: readonly Failure[]): void {
  const options = failures && { failures };
  const [connect] = connects;

  describe("operations of HTTP", () => {
    for (const [first, one] of named) {
      it(`${first}: alone, and any other in one tick and in its handler`, async () => {
        for (const each of connects) {
          const runs = await holds(first, using(each, [one], false, []));
          assert.ok(runs.length > 5, runs.join());
        }
        for (const [second, other] of named) {
          // One that needs both sides closes the stream where it fails, and so where another is in its way.
          const closes = one.takes === "both" || other.takes === "both" ? ["core.aborted"] : [];
          const beside = using(connect, [one, other], false, ["core.operation_pending", ...closes]);
          await holds(`${first} and ${second}`, beside, options);
          const inside = using(connect, [one, other], true, closes);
          await holds(`${second} in the handler of ${first}`, inside, options);
        }
      });
    }
  });
}
