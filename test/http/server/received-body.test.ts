import assert from "node:assert/strict";
import { it } from "node:test";
import { ReceivedBody } from "../../../src/http/server/received-body.ts";

const bytes = Uint8Array.of(1, 2, 3);

it("is read as one part, then its end", () => {
  const body = new ReceivedBody(bytes);
  const told: unknown[] = [];
  assert.deepEqual([body.contentLength, body.isDone, body.trailers.size], [3, false, 0]);
  for (let read = 0; read < 2; read++) body.readPart((error, part) => told.push(error, part));
  assert.deepEqual(told, [undefined, bytes, undefined, undefined]);
  assert.deepEqual([body.contentLength, body.isDone], [3, true]);
});

it("can't be read after it was dropped", async () => {
  const body = new ReceivedBody(bytes);
  body.drop();
  assert.equal(body.isDone, true);
  await assert.rejects(body.incoming.next(), { code: "http.body_used" });
  const read = new ReceivedBody(bytes);
  assert.deepEqual(await read.incoming.next(), { done: false, value: bytes });
  read.drop();
  assert.deepEqual(await read.incoming.next(), { done: true, value: undefined });
});

it("is taken whole, once", () => {
  const body = new ReceivedBody(bytes);
  assert.equal(body.takeWhole(), bytes);
  assert.deepEqual([body.takeWhole(), body.isDone], [undefined, true]);
});
