import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compressionOf } from "../../../src/websocket/protocol/compression.ts";

const agreed = {
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 12,
  serverNoContextTakeover: true,
  clientNoContextTakeover: false,
};

describe("compressionOf", () => {
  it("is undefined if permessage-deflate was not negotiated", () => {
    assert.deepEqual(compressionOf("server", undefined), { inflater: undefined, deflater: undefined });
  });

  it("RFC 7692 7.1: each role compresses by its own parameters, and can decompress the other's messages", () => {
    const server = compressionOf("server", agreed, { level: 6, memLevel: 8 });
    const client = compressionOf("client", agreed, { level: 6, memLevel: 8 });
    assert.deepEqual([server.deflater?.windowBits, server.deflater?.takeover], [10, false]);
    assert.deepEqual([client.deflater?.windowBits, client.deflater?.takeover], [12, true]);
    const message = new Uint8Array(3000).map((_, i) => i % 251);
    for (const [from, to] of [
      [server, client],
      [client, server],
    ]) {
      // The second one refers to the first where contexts are taken over.
      for (let i = 0; i < 2; i++) {
        const payload = new Uint8Array(from.deflater!.deflate(message));
        assert.deepEqual(Buffer.from(to.inflater!.inflate(payload, 5000) as Uint8Array), Buffer.from(message));
      }
    }
    for (const one of [server, client]) {
      one.inflater!.close();
      one.deflater!.close();
    }
  });
});
