// The answers of `fetch`, as bytes on a socket.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it, test } from "node:test";
import { fileBody, parseRange, Response as HttpResponse, type Body } from "../../../src/http/index.ts";
import type { FetchHandler } from "../../../src/server/index.ts";
import { until } from "../../support/until.ts";
import { dial, serving } from "../support/sockets.ts";

const request = (method = "GET", more = ""): string => `${method} / HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

/** All that a client receives from a connection, and what was reported. */
async function ask(fetch: FetchHandler, sent: string): Promise<{ received: string; reported: unknown[] }> {
  const reported: unknown[] = [];
  let received = "";
  await serving({ fetch, fetchError: (error) => reported.push(error) }, async (server) => {
    const dialed = await dial(server);
    dialed.socket.write(sent);
    await dialed.closed;
    ({ received } = dialed);
  });
  return { received: received.replace(/Date: [^\r]*\r\n/, ""), reported };
}

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await new Promise(setImmediate);
    yield new TextEncoder().encode(text);
  }
}

const stream = (...texts: string[]): ReadableStream => ReadableStream.from(parts(...texts));
const last = "Connection: close\r\n";

describe("an explicit Content-Length of fetch's response", () => {
  for (const [what, make] of [
    ["a stream", () => stream("ab", "cde")],
    ["a Blob", () => new Blob(["abcde"])],
    ["text", () => "abcde"],
  ] as const) {
    it(`stays, with ${what}`, async () => {
      const { received } = await ask(
        () => new Response(make(), { headers: { "Content-Length": "5" } }),
        request("GET", last),
      );
      assert.match(received, /\r\ncontent-length: 5\r\n/i);
      assert.doesNotMatch(received, /transfer-encoding/i);
      assert.ok(received.endsWith("\r\n\r\nabcde"));
    });

    for (const length of ["3", "9"]) {
      it(`is held to, with ${what} of another length than ${length}`, async () => {
        const fetch = (): Response => new Response(make(), { headers: { "Content-Length": length } });
        const { received, reported } = await ask(fetch, request("GET", last));
        assert.equal((reported[0] as { code: string }).code, "http.bad_content_length");
        assert.equal(reported.length, 1);
        // What was sent of the stream is less than announced.
        if (what === "a stream") assert.equal(/\r\n\r\n(.*)$/.exec(received)![1]!.length < Number(length), true);
        else assert.match(received, /^HTTP\/1\.1 500 /);
      });
    }
  }

  it("stays in the response to HEAD, with and without a body, and in a 304", async () => {
    const headers = { "Content-Length": "1000" };
    for (const fetch of [
      () => new Response(null, { headers }),
      () => new Response("other", { headers }),
      () => new Response(null, { headers, status: 304 }),
    ]) {
      const { received, reported } = await ask(fetch, request("HEAD", last));
      assert.match(received, /\r\ncontent-length: 1000\r\n.*\r\n\r\n$/is);
      assert.deepEqual(reported, []);
    }
  });

  it("is dropped with 204, where it must not be", async () => {
    const fetch = (): Response => new Response(null, { headers: { "Content-Length": "0" }, status: 204 });
    const { received } = await ask(fetch, request("GET", last));
    assert.match(received, /^HTTP\/1\.1 204 /);
    assert.doesNotMatch(received, /content-length/i);
  });
});

test("fetch may return an http.Response: whole, with a file, and with a part of one", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "serval-"));
  try {
    const file = path.join(folder, "page");
    await writeFile(file, "0123456789");
    const fetch: FetchHandler = async (asked): Promise<HttpResponse<Body>> => {
      const range = parseRange(asked.headers.get("range") ?? "", 10)?.[0];
      if (range === undefined) return new HttpResponse<Body>({ body: await fileBody(file) });
      const headers = { "Content-Range": `bytes ${range.start}-${range.end}/10` };
      return new HttpResponse<Body>({ status: 206, headers, body: await fileBody(file, range) });
    };
    const { received } = await ask(fetch, request("HEAD") + request() + request("GET", `Range: bytes=2-4\r\n${last}`));
    const [, head, whole, part] = received.replaceAll(/Date: [^\r]*\r\n/g, "").split("HTTP/1.1 ");
    assert.equal(head, "200 OK\r\nContent-Length: 10\r\n\r\n");
    assert.equal(whole, "200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    assert.match(part!, /^206 .*Content-Range: bytes 2-4\/10\r\n.*\r\n\r\n234$/s);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("a malformed body of the request", () => {
  const post = (body: string, type = "application/json"): string =>
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n${last}\r\n${body}`;

  for (const [what, fetch, sent] of [
    ["json()", async (asked) => Response.json(await asked.json()), post("{")],
    ["json() of an empty body", async (asked) => Response.json(await asked.json()), post("")],
    ["json() of a clone", async (asked) => Response.json(await asked.clone().json()), post("{")],
    ["json() after the body was made", async (asked) => Response.json(asked.body && (await asked.json())), post("{")],
    [
      "formData()",
      async (asked) => new Response(String(await asked.formData())),
      post("x", "multipart/form-data; boundary=b"),
    ],
    [
      "formData() of another type",
      async (asked) => new Response(String(await asked.formData())),
      post("x", "text/plain"),
    ],
  ] satisfies [string, FetchHandler, string][] as [string, FetchHandler, string][]) {
    it(`is answered 400 if ${what} fails, and is not reported`, async () => {
      const { received, reported } = await ask(fetch, sent);
      assert.match(received, /^HTTP\/1\.1 400 .*The request's body is malformed/s);
      assert.deepEqual(reported, []);
    });
  }

  for (const [what, fetch] of [
    ["the application's own JSON.parse", async (asked) => Response.json(JSON.parse(await asked.text()))],
    [
      "the application's own error about it",
      async (asked) => {
        try {
          return Response.json(await asked.json());
        } catch (cause) {
          throw new Error("mine", { cause });
        }
      },
    ],
    [
      "reading it twice",
      async (asked) => {
        await asked.text();
        return new Response(String(await asked.formData()));
      },
    ],
  ] satisfies [string, FetchHandler][] as [string, FetchHandler][]) {
    it(`is answered 500 if it is ${what} that fails, and is reported`, async () => {
      const { received, reported } = await ask(fetch, post("{"));
      assert.match(received, /^HTTP\/1\.1 500 /);
      assert.equal(reported.length, 1);
    });
  }
});

test("a client that goes in the middle of its body is no malformed body", async () => {
  let failure: NodeJS.ErrnoException | undefined;
  const fetch: FetchHandler = async (asked) => {
    try {
      return Response.json(await asked.json());
    } catch (error) {
      failure = error as Error;
      throw error;
    }
  };
  await serving({ fetch }, async (server) => {
    const dialed = await dial(server, 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{"a');
    await until(() => server.stats().requests === 1);
    dialed.socket.destroy();
    await until(() => failure !== undefined);
    assert.notEqual(failure!.code, undefined);
  });
});

test("a request, and what is made of it before and after, follow a client that goes", async () => {
  const made: Request[] = [];
  const fetch: FetchHandler = async (asked) => {
    made.push(asked, asked.clone(), new Request(asked.clone()), new Request(asked));
    await new Promise((resolve) => made.at(-1)!.signal.addEventListener("abort", resolve));
    return new Response();
  };
  await serving({ fetch }, async (server) => {
    const dialed = await dial(server, request());
    await until(() => made.length === 4);
    for (const { signal } of made) assert.equal(signal.aborted, false);
    dialed.socket.destroy();
    await until(() => made.at(-1)!.signal.aborted);
    for (const each of [...made, made[0]!.clone(), new Request(made[0]!)]) {
      assert.equal(each.signal.aborted, true);
      assert.equal(each.signal.reason, made[0]!.signal.reason);
    }
  });
});
