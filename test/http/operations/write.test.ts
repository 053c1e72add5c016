import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import {
  Fields,
  Request,
  Response,
  serialize,
  serializeHead,
  write,
  type Writable,
  type WriteOptions,
} from "../../../src/http/index.ts";
import { pair, type PairStream } from "../../../src/testing/index.ts";

const responses: [name: string, response: Response][] = [
  ["a 101", new Response({ status: 101, headers: { Upgrade: "websocket" } })],
  ["an empty body", new Response({ status: 404 })],
  ["a body", new Response({ body: "hello" })],
];

/** Writes with a handler, and checks that it runs once and not inside the call. */
function writeOnce(stream: PairStream, response: Response, options?: WriteOptions): Promise<ServalError | undefined> {
  return new Promise((resolve, reject) => {
    let inside = true;
    let runs = 0;
    write(stream, response, options, (error) => {
      if (inside || ++runs > 1) reject(new Error("inside the call, or twice"));
      resolve(error);
    });
    inside = false;
  });
}

describe("write", () => {
  for (const [name, response] of responses) {
    it(`sends all of ${name}, however little each write takes`, async () => {
      const bytes = serialize(response);
      for (let maxWrite = 1; maxWrite <= bytes.length; maxWrite++) {
        const [stream] = pair({ record: true, maxWrite });
        await write(stream, response);
        assert.deepEqual(stream.sent, bytes);
        assert.equal(stream.operations, Math.ceil(bytes.length / maxWrite));
      }
    });
  }

  it("sends a request", async () => {
    const [stream] = pair({ record: true, maxWrite: 3 });
    await write(stream, new Request({ target: "/a", headers: { Host: "b" } }));
    assert.equal(decodeLatin1(stream.sent), "GET /a HTTP/1.1\r\nHost: b\r\n\r\n");
    await assert.rejects(write(stream, new Request({ target: "a b" })), { code: "http.bad_target" });
  });

  it("passes head and body to one write", async () => {
    const [stream] = pair({ record: true });
    await write(stream, new Response({ body: new Uint8Array(1000) }));
    assert.equal(stream.operations, 1);
  });

  it("waits while the peer has no room", async () => {
    const response = new Response({ body: new Uint8Array(10_000).fill(1) });
    const [stream, peer] = pair({ record: true }, { capacity: 100, record: true });
    const written = write(stream, response);
    let received = 0;
    const length = serialize(response).length;
    while (received < length) {
      received += await new Promise<number>((resolve) => peer.readSome((_, bytes) => resolve(bytes!.length)));
    }
    await written;
    assert.deepEqual(peer.received, serialize(response));
  });

  it("sends only the head in response to HEAD", async () => {
    const [stream] = pair({ record: true });
    const response = new Response({ body: "hello" });
    await write(stream, response, { request: new Request({ method: "HEAD" }) });
    assert.equal(decodeLatin1(stream.sent), decodeLatin1(serializeHead(response)));
    assert.match(decodeLatin1(stream.sent), /Content-Length: 5\r\n\r\n$/);
  });

  it("announces the end of the connection", async () => {
    const [stream] = pair({ record: true });
    await write(stream, new Response(), { keepAlive: false });
    assert.match(decodeLatin1(stream.sent), /\r\nConnection: close\r\n/);
  });

  it("accepts its handler without options too", async () => {
    const [stream] = pair({ record: true });
    await new Promise((resolve) => write(stream, new Response(), resolve));
    assert.deepEqual(stream.sent, serialize(new Response()));
  });

  it("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    const [stream] = pair();
    await write(stream, new Response(), { signal });
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});

describe("write completes with an error", () => {
  it("core.aborted, at any time, and closes the stream", async () => {
    for (let turns = 0; turns < 20; turns++) {
      const controller = new AbortController();
      const { signal } = controller;
      const [stream] = pair({ maxWrite: 20 });
      const outcome = writeOnce(stream, new Response({ body: "hello" }), { signal });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const inTime = getEventListeners(signal, "abort").length > 0;
      controller.abort("enough");
      const error = await outcome;
      assert.equal(error?.code, inTime ? "core.aborted" : undefined);
      assert.equal(error?.cause, inTime ? "enough" : undefined);
      assert.equal(stream.closed, inTime);
      assert.equal(getEventListeners(signal, "abort").length, 0);
    }
  });

  it("core.operation_pending for a second write, without affecting the first", async () => {
    const [stream] = pair({ record: true });
    const response = new Response();
    const first = write(stream, response);
    assert.throws(() => write(stream, response, undefined, assert.fail), { code: "core.operation_pending" });
    await assert.rejects(write(stream, response), { code: "core.operation_pending" });
    await first;
    assert.deepEqual(stream.sent, serialize(response));
  });

  it("core.invalid_argument for a value that is no message, with what is expected", async () => {
    const [stream] = pair();
    for (const message of [new globalThis.Response("a"), "text", undefined]) {
      await assert.rejects(write(stream, message as unknown as Writable), {
        code: "core.invalid_argument",
        message: /http.Response.*Response.from/,
      });
    }
    assert.equal(stream.operations, 0);
  });

  it("for a response that can't be sent, before anything is written", async () => {
    const [stream] = pair();
    const response = new Response({ headers: Fields.fromRaw(["a", "b\r\nc: d"]) });
    await assert.rejects(write(stream, response), { code: "http.bad_value" });
    assert.throws(() => write(stream, response, {}, assert.fail), { code: "http.bad_value" });
    assert.equal(stream.operations, 0);
  });
});
