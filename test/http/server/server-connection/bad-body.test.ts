// What is wrong with the bodies of requests that are served: who is told, and what becomes of the connection.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../../src/core/index.ts";
import { Response, type IncomingBody, type RequestHandler } from "../../../../src/http/index.ts";
import { deferred, quiet } from "../../../support/quiet.ts";
import { get, Serving } from "../../support/serving.ts";

const chunked = (chunks: string): string => `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
const expecting = "Expect: 100-continue\r\n";

/** Sends the body back as it comes. */
const echo: RequestHandler = (request) => new Response({ body: request.body });

describe("an invalid body", () => {
  for (const [code, status, text, options] of [
    ["http.bad_chunk", 400, chunked("x"), {}],
    ["http.chunk_extension_limit", 413, chunked(`1;${"a".repeat(5000)}`), {}],
    ["http.body_limit", 413, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", { maxBodySize: 10 }],
    ["http.body_limit", 413, chunked("5\r\nhello\r\n6\r\n"), { maxBodySize: 10 }],
    ["http.header_limit", 431, chunked(`0\r\nA: ${"b".repeat(20_000)}`), {}],
  ] as const) {
    it(`gives the client ${status} and the handler ${code}, and is not reported`, async () => {
      for (const maxRead of [Infinity, 100]) {
        let told: unknown;
        const serving = new Serving(
          (request) =>
            request.text().then(
              () => new Response(),
              (error) => {
                told = error;
                throw error;
              },
            ),
          { ...options, pair: { maxRead } },
        );
        await serving.send(text);
        await quiet(220);
        assert.deepEqual(serving.statuses, [status]);
        assert.equal(serving.responses()[0]!.headers["connection"], "close");
        assert.equal((told as { code: string }).code, code);
        assert.deepEqual(serving.errors, []);
        assert.equal(serving.client.ended, true);
        await serving.end(code);
      }
    });
  }

  it("is refused before it is sent, without 100 (Continue), if it is announced to be too large", async () => {
    const whole: RequestHandler = async (request) => new Response({ body: await request.bytes() });
    const deaf: RequestHandler = () => new Response();
    for (const expect of [expecting, ""]) {
      for (const handler of [whole, echo, deaf]) {
        const serving = new Serving(handler, { maxBodySize: 10 });
        await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n${expect}\r\n`);
        assert.deepEqual(serving.statuses, [handler === deaf ? 200 : 413]);
        assert.equal(serving.client.ended, true);
        await serving.end(handler === deaf && expect !== "" ? undefined : "http.body_limit");
      }
    }
  });

  it("is answered with 408 if it does not come in the time for which the handler waits", async () => {
    const { promise, resolve } = deferred();
    const serving = new Serving(
      async (request) => {
        await promise;
        return new Response({ body: await request.bytes() });
      },
      { timeouts: { body: 1000 } },
    );
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
    // The handler is in no hurry.
    await serving.clock.advance(100_000);
    resolve();
    await quiet();
    await serving.clock.advance(600);
    await serving.send("l");
    await serving.clock.advance(399);
    assert.equal(serving.client.text, "");
    await serving.clock.advance(1);
    assert.deepEqual(serving.statuses, [408]);
    await serving.end("core.timeout");
  });

  it("ends the connection also if the handler ignores the error", async () => {
    const serving = new Serving((request) =>
      request.text().then(
        () => new Response(),
        () => new Response({ status: 202 }),
      ),
    );
    await serving.send(chunked("x") + get("/"));
    assert.deepEqual(serving.statuses, [202]);
    assert.equal(serving.responses()[0]!.headers["connection"], "close");
    await serving.end();
  });

  it("cuts the response that sends it back", async () => {
    const serving = new Serving(echo, { pair: { maxRead: 100 } });
    await serving.send(chunked("3\r\nabc\r\n"));
    await serving.send("x");
    assert.match(serving.client.text, /3\r\nabc\r\n$/);
    assert.deepEqual(serving.errors, []);
    await serving.end("http.bad_chunk");
    assert.match(serving.client.text, /3\r\nabc\r\n$/);
  });

  it("fails reads of its rest with the error that ended the connection", async () => {
    for (const wait of ["for the body", "for something else"]) {
      const controller = new AbortController();
      let body!: IncomingBody;
      const serving = new Serving(
        (request) => {
          body = request.body as IncomingBody;
          return wait === "for the body"
            ? request.text().then((text) => new Response({ body: text }))
            : new Promise(() => {});
        },
        { signal: controller.signal, peerPair: { capacity: 10 }, paused: true },
      );
      // With no room for 100 (Continue): the read has not begun.
      await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${expecting}\r\n`);
      controller.abort();
      await quiet();
      serving.assertEnded("core.aborted");
      assert.deepEqual(serving.errors, []);
      await assert.rejects(body.next(), { code: "core.aborted" });
    }
  });

  it("fails the handler that reads it when the signal aborts, and is not reported", async () => {
    const controller = new AbortController();
    let failure: unknown;
    const handler: RequestHandler = (request) =>
      request.bytes().then(
        (body) => new Response({ body }),
        (error: unknown) => {
          failure = error;
          throw error;
        },
      );
    const serving = new Serving(handler, { signal: controller.signal });
    await serving.send(chunked("2\r\nhe\r\n"));
    controller.abort();
    await quiet();
    serving.assertEnded("core.aborted");
    assert.equal((failure as ServalError).code, "core.aborted");
    assert.deepEqual(serving.errors, []);
  });
});
