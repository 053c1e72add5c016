// Where served requests are of this kind, served-request.test.ts compares them with the platform's.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Request as Message, type Body, type BodyStream } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/messages/errors.ts";
import { abortRequest, directRequest } from "../../../src/http/server/direct-request.ts";
import type { FollowedExchange } from "../../../src/http/server/followed-exchange.ts";
import { quiet } from "../../support/quiet.ts";

/** A body that counts how often it is begun, and stopped. */
function counted(): { body: BodyStream; begun: () => number; stopped: () => number } {
  let begun = 0;
  let stopped = 0;
  const body: BodyStream = {
    async *[Symbol.asyncIterator]() {
      begun++;
      try {
        yield new TextEncoder().encode("te");
        yield new TextEncoder().encode("xt");
      } finally {
        stopped++;
      }
    },
  };
  return { body, begun: () => begun, stopped: () => stopped };
}

function made(body?: Body, exchange?: FollowedExchange): Request {
  const message = new Message<Body>({
    method: "PUT",
    target: "/x",
    headers: { Host: "h", A: "b" },
    ...(body && { body }),
  });
  return directRequest(message, exchange)!;
}

describe("a request that is read from its source", () => {
  it("is the platform's", async () => {
    const request = made();
    assert.ok(request instanceof Request);
    assert.equal(request.constructor, Request);
    assert.deepEqual([request.url, request.method, request.headers.get("a")], ["http://h/x", "PUT", "b"]);
    assert.equal(await new Request(made(counted().body)).text(), "text");
    assert.equal(await Request.prototype.text.call(made(counted().body)), "text");
  });

  it("begins to read when it is read, once, however that is", async () => {
    for (const read of [
      (request: Request) => request.text(),
      (request: Request) => request.clone().text(),
      (request: Request) => new Response(request.body).text(),
    ]) {
      const { body, begun, stopped } = counted();
      const request = made(body);
      await quiet();
      assert.equal(begun(), 0);
      assert.equal(await read(request), "text");
      assert.deepEqual([begun(), stopped()], [1, 1]);
    }
  });

  it("shares its source with its clones", async () => {
    for (const clone of [
      (request: Request) => request.clone(),
      (request: Request) => Request.prototype.clone.call(request),
    ]) {
      const { body, begun } = counted();
      const request = made(body);
      const copy = clone(request);
      assert.deepEqual(await Promise.all([request.text(), copy.text()]), ["text", "text"]);
      assert.equal(begun(), 1);
    }
  });

  it("is used after that, as the platform's is", async () => {
    const request = made(counted().body);
    await request.arrayBuffer();
    assert.deepEqual([request.bodyUsed, request.body!.locked], [true, true]);
    await assert.rejects(request.text(), TypeError);
    assert.throws(() => request.clone(), TypeError);
    assert.throws(() => new Request(request), TypeError);
  });

  it("stops its source when its stream is cancelled", async () => {
    const { body, begun, stopped } = counted();
    const reader = made(body).body!.getReader();
    await reader.read();
    await reader.cancel();
    assert.deepEqual([begun(), stopped()], [1, 1]);
  });

  it("fails as its source does, read either way", async () => {
    const body: BodyStream = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new RangeError("mine")) }) };
    await assert.rejects(made(body).text(), RangeError);
    await assert.rejects(new Response(made(body).body).text(), RangeError);
  });

  it("follows its exchange, as do those that are made from it, before and after", () => {
    const controller = new AbortController();
    const exchange: FollowedExchange = { signal: controller.signal };
    const request = made(undefined, exchange);
    const before = [request, request.clone(), new Request(request)];
    assert.equal(request.signal, controller.signal);
    assert.ok(before.every(({ signal }) => !signal.aborted));
    const error = httpError("http.end_of_stream");
    controller.abort(error);
    abortRequest(exchange.follower!, error);
    for (const { signal } of [...before, request.clone(), new Request(request)]) {
      assert.deepEqual([signal.aborted, signal.reason], [true, error]);
    }
  });
});
