import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../src/core/index.ts";
import {
  Fields,
  request,
  Request,
  Response,
  serve,
  write,
  type FieldsInit,
  type RequestHandler,
  type Writable,
} from "../../src/http/index.ts";
import { pair } from "../../src/testing/index.ts";

// What newcomers get wrong, and what they are told.

const misuse = (message: RegExp): object => ({ code: "core.invalid_argument", message });

describe("a mistake is answered with what to do", () => {
  it("in what a message is made from", () => {
    const constructors = [(init: object) => new Request(init), (init: object) => new Response(init)];
    for (const make of constructors) {
      assert.throws(() => make({ headers: {} }), misuse(/fields, not headers/));
      assert.throws(() => make("hello" as unknown as object), misuse(/made from an object/));
      assert.throws(() => make({ body: Promise.resolve("a") }), misuse(/is an await missing/));
      assert.throws(() => make({ body: { a: 1 } }), misuse(/JSON.stringify/));
      assert.throws(() => make({ body: 5 }), misuse(/not number/));
    }
  });

  it("in fields", () => {
    for (const value of [5, undefined, null]) {
      assert.throws(() => new Fields({ a: value } as unknown as FieldsInit), misuse(/value of a must be a string/));
    }
    const fields = new Fields();
    const bad = (message: RegExp): object => ({ code: "http.bad_value", message });
    assert.throws(() => fields.append("a", "\u017c\u00f3"), bad(/"ż" \(U\+017C\).*encodeURIComponent/));
    assert.throws(() => fields.append("a", "b\nc"), bad(/control character U\+000A/));
    assert.throws(() => fields.append("a", "😀"), bad(/U\+1F600/));
  });

  it("in what is written", async () => {
    const [stream] = pair();
    for (const message of [new globalThis.Response("a"), "text", undefined]) {
      await assert.rejects(write(stream, message as unknown as Writable), misuse(/http.Response.*Response.from/));
    }
    assert.equal(stream.operations, 0);
  });

  it("in what a handler returns", async () => {
    for (const [result, words] of [
      [undefined, /GET \/x returned nothing/],
      [null, /returned nothing/],
      ["hello", /not string/],
      [new globalThis.Response("a"), /Response.from/],
      [new Response({ status: 101 }), /status 101/],
    ] as [unknown, RegExp][]) {
      const [stream, peer] = pair();
      const told: unknown[] = [];
      const handler = (() => result) as RequestHandler;
      const served = serve(stream, handler, { onError: (error) => told.push(error) });
      const asked = new Request({ target: "/x", fields: { Host: "a", Connection: "close" } });
      assert.equal((await request(peer, asked, { buffer: new FlatBuffer() })).status, 500);
      peer.close();
      await served;
      assert.match(String(told[0]), words);
      assert.equal(told.length, 1);
    }
    const [stream] = pair();
    await assert.rejects(serve(stream, undefined as unknown as RequestHandler), misuse(/takes a handler/));
  });
});

it("a body is gone through in parts, whichever it is", async () => {
  const through = async (message: { parts(): AsyncIterable<Uint8Array> }): Promise<string[]> => {
    const parts: string[] = [];
    for await (const part of message.parts()) parts.push(String(Buffer.from(part)));
    return parts;
  };
  async function* two(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    yield Buffer.from("b");
  }
  assert.deepEqual(await through(new Response({ body: "text" })), ["text"]);
  assert.deepEqual(await through(new Response()), []);
  assert.deepEqual(await through(new Request({ body: two() })), ["a", "b"]);
});
