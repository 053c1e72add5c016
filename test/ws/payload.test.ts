import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asBuffer, bytesOf, inForm, isBlob } from "../../src/ws/payload.ts";

describe("asBuffer", () => {
  it("makes a Buffer of bytes of any length", () => {
    for (const length of [0, 1, 64, 65, 5000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      const buffer = asBuffer(bytes);
      assert.ok(Buffer.isBuffer(buffer));
      assert.deepEqual([...buffer], [...bytes]);
    }
  });
});

describe("asBuffer of no bytes", () => {
  it("keeps no memory", () => {
    assert.equal(asBuffer(Buffer.alloc(10).subarray(5, 5)).buffer.byteLength, 0);
  });
});

describe("bytesOf", () => {
  it("takes bytes in any form without a copy", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    assert.equal(bytesOf(bytes), bytes);
    for (const data of [bytes.buffer, new DataView(bytes.buffer), new Uint16Array(bytes.buffer)]) {
      assert.equal(bytesOf(data).buffer, bytes.buffer);
      assert.deepEqual([...bytesOf(data)], [1, 2, 3, 4]);
    }
  });

  it("takes what Buffer.from takes, and throws its error", () => {
    assert.deepEqual([...bytesOf([1, 2])], [1, 2]);
    assert.throws(() => bytesOf({}), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => bytesOf(true), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  });
});

describe("isBlob", () => {
  it("knows a Blob, and nothing else", () => {
    assert.equal(isBlob(new Blob(["x"])), true);
    for (const data of [null, undefined, "x", new Uint8Array(1), {}, { arrayBuffer() {} }]) {
      assert.equal(isBlob(data), false);
    }
  });
});

describe("inForm", () => {
  it("gives bytes of their own, not the memory around them", async () => {
    const bytes = Buffer.from("around bytes around").subarray(7, 12);
    const buffer = inForm(bytes, "arraybuffer") as ArrayBuffer;
    assert.equal(Buffer.from(buffer).toString(), "bytes");
    assert.equal(buffer.byteLength, 5);
    assert.equal(await (inForm(bytes, "blob") as Blob).text(), "bytes");
    assert.deepEqual(inForm(bytes, "fragments"), [bytes]);
    assert.deepEqual(inForm(new Uint8Array(0), "fragments"), []);
    assert.equal(inForm(bytes, "nodebuffer"), bytes);
  });
});
