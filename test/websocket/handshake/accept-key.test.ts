import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { acceptKey, newKey } from "../../../src/websocket/handshake/accept-key.ts";
import { fc } from "../../support/property.ts";

describe("acceptKey", () => {
  it("RFC 6455 1.3: the example", () => {
    assert.equal(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("RFC 6455 4.2.2: the base64 of the SHA-1 of the key and the GUID, for any key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (nonce) => {
        const key = Buffer.from(nonce).toString("base64");
        const hash = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        assert.equal(acceptKey(key), hash);
      }),
    );
  });
});

it("RFC 6455 4.1: a new key is sixteen bytes in base64, another each time", () => {
  const keys = Array.from({ length: 100 }, () => newKey());
  assert.equal(new Set(keys).size, 100);
  const bytes = keys.map((key) => Buffer.from(key, "base64"));
  assert.deepEqual(
    bytes.map((one) => one.toString("base64")),
    keys,
  );
  assert.ok(bytes.every((one) => one.length === 16));
  // All values of a byte can come: of 1600, some are high and some low.
  assert.ok(
    bytes.some((one) => one.some((byte) => byte > 0xc0)) && bytes.some((one) => one.some((byte) => byte < 0x40)),
  );
});
