import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler } from "../../../src/core/index.ts";
import { Fields, IncomingBody } from "../../../src/http/index.ts";
import type { BodySource } from "../../../src/http/operations/incoming-body.ts";
import { quiet } from "../../support/quiet.ts";

/** A source that is fed by hand. */
class HandSource implements BodySource {
  contentLength: number | undefined = 5;
  isDone = false;
  trailers: Fields = new Fields({ T: "x" });
  reads = 0;
  handler!: Handler<Uint8Array | undefined>;

  readPart(handler: Handler<Uint8Array | undefined>): void {
    this.reads++;
    this.handler = handler;
  }
}

function bodied(): { source: HandSource; body: IncomingBody } {
  const source = new HandSource();
  return { source, body: new IncomingBody(source) };
}

describe("IncomingBody", () => {
  it("reads a part on demand, up to the end", async () => {
    const { source, body } = bodied();
    assert.deepEqual([body.size, body.isDone, body.trailers.get("t"), source.reads], [5, false, "x", 0]);
    const parts: string[] = [];
    const read = (async () => {
      for await (const part of body) parts.push(String(part));
    })();
    source.handler(undefined, Uint8Array.of(1));
    await quiet();
    source.handler(undefined, Uint8Array.of(2));
    await quiet();
    source.isDone = true;
    source.handler(undefined, undefined);
    await read;
    assert.deepEqual([parts, body.isDone, source.reads], [["1", "2"], true, 3]);
    assert.deepEqual(await body.next(), { done: true, value: undefined });
    assert.equal(source.reads, 3);
  });

  it("is read once, and one part at a time", async () => {
    const { body, source } = bodied();
    void body[Symbol.asyncIterator]();
    assert.throws(() => body[Symbol.asyncIterator](), { code: "http.body_used" });
    const first = body.next();
    await assert.rejects(body.next(), { code: "http.body_used" });
    source.handler(undefined, Uint8Array.of(1));
    assert.equal((await first).done, false);
  });

  it("fails for good", async () => {
    const { body, source } = bodied();
    const first = body.next();
    source.handler(coreError("core.timeout"), undefined);
    await assert.rejects(first, { code: "core.timeout" });
    await assert.rejects(body.next(), { code: "core.timeout" });
    assert.equal(source.reads, 1);
  });

  it("has not begun to read after misuse", async () => {
    const { body, source } = bodied();
    source.readPart = () => {
      throw coreError("core.operation_pending");
    };
    await assert.rejects(body.next(), { code: "core.operation_pending" });
    await assert.rejects(body.next(), { code: "core.operation_pending" });
    let idle = 0;
    body.detach(() => idle++);
    assert.equal(idle, 1);
  });

  it("reads nothing after return", async () => {
    const { body, source } = bodied();
    for (const _ of [1, 2]) assert.deepEqual(await body.return(), { done: true, value: undefined });
    assert.equal((await body.next()).done, true);
    assert.equal(source.reads, 0);
  });

  it("can be detached, when no read is in flight", async () => {
    let idle = 0;
    const unread = bodied();
    unread.body.detach(() => idle++);
    assert.equal(idle, 1);
    await assert.rejects(unread.body.next(), { code: "http.body_used" });
    assert.throws(() => unread.body[Symbol.asyncIterator](), { code: "http.body_used" });

    const { body, source } = bodied();
    const pending = body.next();
    body.detach(() => idle++);
    assert.equal(idle, 1);
    source.handler(undefined, Uint8Array.of(1));
    assert.deepEqual([idle, (await pending).value], [2, Uint8Array.of(1)]);
    await assert.rejects(body.next(), { code: "http.body_used" });
  });

  it("ends no process if nobody awaits its parts", async () => {
    const { body, source } = bodied();
    void body.next();
    source.handler(coreError("core.connection_reset"), undefined);
    void body.next();
    await quiet();
  });
});
