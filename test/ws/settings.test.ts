import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Protocol } from "../../src/websocket/index.ts";
import { PerMessageDeflate } from "../../src/ws/permessage-deflate.ts";
import { compressionOf, protocolOptions } from "../../src/ws/settings.ts";

function negotiated(params: Record<string, true | number>, options: object = {}): PerMessageDeflate {
  const deflate = new PerMessageDeflate({ isServer: true, ...options });
  deflate.params = params;
  return deflate;
}

describe("protocolOptions", () => {
  it("reads a limit of 0, or none, as no limit", () => {
    for (const limits of [{}, { maxPayload: 0, maxFragments: 0 }]) {
      const { maxMessageSize, maxFragments } = protocolOptions(true, limits, undefined);
      assert.deepEqual([maxMessageSize, maxFragments], [Infinity, Infinity]);
    }
    assert.equal(protocolOptions(true, { maxPayload: 5 }, undefined).maxMessageSize, 5);
  });

  it("has what was negotiated, in the header's form", () => {
    const deflate = negotiated({ server_no_context_takeover: true, client_max_window_bits: 10 });
    const options = protocolOptions(true, {}, deflate);
    assert.equal(options.extensions, "permessage-deflate; server_no_context_takeover; client_max_window_bits=10");
    assert.equal(new Protocol(options).role, "server");
  });

  it("applies the threshold to messages that are compressed separately", () => {
    const apart = negotiated({ server_no_context_takeover: true }, { threshold: 5 });
    assert.equal(protocolOptions(true, {}, apart).deflate!.threshold, 5);
    assert.equal(protocolOptions(false, {}, apart).deflate!.threshold, 0);
    assert.deepEqual(compressionOf(true, apart), { takeover: false, threshold: 5 });
    assert.equal(protocolOptions(true, {}, negotiated({ server_no_context_takeover: true })).deflate!.threshold, 1024);
  });

  it("takes level and memLevel, and no level by zlib's default", () => {
    const level = (zlibDeflateOptions: object): unknown =>
      protocolOptions(true, {}, negotiated({}, { zlibDeflateOptions })).deflate;
    assert.deepEqual(level({ level: 3, memLevel: 7 }), { threshold: 0, level: 3, memLevel: 7 });
    assert.deepEqual(level({ level: -1, chunkSize: 1024 }), { threshold: 0 });
  });

  it("has a smaller window than agreed for our own messages with takeover, unless zlibDeflateOptions has another", () => {
    const extensions = (isServer: boolean, params: Record<string, true | number>, options: object = {}): unknown =>
      protocolOptions(isServer, {}, negotiated(params, options)).extensions;
    const apart = { server_no_context_takeover: true, client_no_context_takeover: true } as const;
    assert.equal(extensions(true, {}), "permessage-deflate; server_max_window_bits=13");
    assert.equal(extensions(false, {}), "permessage-deflate; client_max_window_bits=13");
    assert.equal(extensions(true, { server_max_window_bits: 10 }), "permessage-deflate; server_max_window_bits=10");
    assert.equal(
      extensions(true, {}, { zlibDeflateOptions: { windowBits: 15 } }),
      "permessage-deflate; server_max_window_bits=15",
    );
    for (const isServer of [true, false]) {
      assert.doesNotMatch(String(extensions(isServer, apart)), /window/);
      assert.ok(new Protocol(protocolOptions(isServer, {}, negotiated({}))));
    }
  });

  it("lets generateMask fill in a Buffer", () => {
    const { generateMask } = protocolOptions(
      false,
      { generateMask: (mask) => mask.writeUInt32BE(0x01020304) },
      undefined,
    );
    const mask = new Uint8Array(4);
    generateMask!(mask);
    assert.deepEqual([...mask], [1, 2, 3, 4]);
  });
});
