import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { takeSource } from "../../src/server/response-source.ts";

/** Where the state of a response is private, nothing can be taken. */
const canTake = Number(process.versions.node.split(".")[0]) < 24;

const asText = (source: string | Uint8Array | undefined): unknown =>
  source instanceof Uint8Array ? new TextDecoder().decode(source) : source;

const form = new FormData();
form.append("a", "b");

describe("what a response was made from", () => {
  for (const [what, make, source] of [
    ["text", () => new Response("h\u00e9\ud83d\ude00"), "h\u00e9\ud83d\ude00"],
    ["no text", () => new Response(""), ""],
    ["a lone surrogate", () => new Response("\ud83d"), "\ufffd"],
    ["bytes", () => new Response(new TextEncoder().encode("bytes")), "bytes"],
    ["a part of a buffer", () => new Response(new TextEncoder().encode("bytes").subarray(1, 3)), "yt"],
    ["JSON", () => Response.json({ a: 1 }), '{"a":1}'],
    ["parameters", () => new Response(new URLSearchParams({ a: "b c" })), "a=b+c"],
    ["a clone", () => new Response("text").clone(), "text"],
  ] as const) {
    it(`is taken if that is ${what}; then the response is used`, { skip: !canTake }, async () => {
      const response = make();
      const whole = await make().text();
      assert.equal(asText(takeSource(response)), source);
      assert.equal(source, whole);
      assert.equal(response.bodyUsed, true);
      await assert.rejects(response.text(), TypeError);
      assert.equal(takeSource(response), undefined);
    });
  }

  class Other extends Response {}
  Object.defineProperty(Other.prototype, "body", { get: () => new Response("other").body });
  for (const [what, make] of [
    ["there is none", () => new Response(null)],
    ["it is a stream", () => new Response(new ReadableStream())],
    ["it is a Blob", () => new Response(new Blob(["text"]))],
    ["it is a form", () => new Response(form)],
    ["the class has another body", () => new Other("text")],
    ["it is no response", () => ({ body: "text" }) as unknown as Response],
  ] as const) {
    it(`is not taken if ${what}`, () => {
      const response = make();
      assert.equal(takeSource(response), undefined);
      assert.notEqual(response.bodyUsed, true);
    });
  }

  it("is not taken from one that is being read, or was", async () => {
    const locked = new Response("text");
    const reader = locked.body!.getReader();
    assert.equal(takeSource(locked), undefined);
    await reader.read();
    reader.releaseLock();
    assert.equal(takeSource(locked), undefined);
    const read = new Response("text");
    await read.text();
    assert.equal(takeSource(read), undefined);
    const original = new Response("text");
    const clone = original.clone();
    await original.text();
    assert.equal(asText(takeSource(clone)), canTake ? "text" : undefined);
  });
});
