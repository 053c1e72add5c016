import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { protocolSettings } from "../../../src/websocket/options/protocol-options.ts";
import { hideContexts } from "../../../src/websocket/deflate/zlib.ts";

describe("protocolSettings", () => {
  it("has the documented defaults: no compression, whole messages, checked", () => {
    const { deflate, ...settings } = protocolSettings({ role: "client" });
    assert.deepEqual(settings, {
      role: "client",
      parameters: undefined,
      maxMessageSize: 16_777_216,
      maxFragments: 131_072,
      highWaterMark: 65_536,
      text: "string",
      fragmentSize: Infinity,
      autoPong: true,
      autoClose: true,
      inPlace: false,
      parts: false,
      skipUtf8Validation: false,
      maskingKey: undefined,
    });
    assert.deepEqual([deflate!.level, deflate!.memLevel, deflate!.threshold], [5, 5, 256]);
  });

  it("takes what was negotiated from the header, and how to compress from deflate", () => {
    const extensions = "permessage-deflate; server_no_context_takeover; client_max_window_bits=9";
    const { parameters, deflate } = protocolSettings({
      role: "server",
      extensions,
      deflate: { level: 1, threshold: 0 },
    });
    assert.deepEqual(parameters, {
      serverNoContextTakeover: true,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 9,
    });
    assert.deepEqual([deflate!.level, deflate!.memLevel, deflate!.threshold], [1, 5, 0]);
  });

  it("reads the key that generateMask has filled in, its first byte lowest", () => {
    const { maskingKey } = protocolSettings({ role: "client", generateMask: (mask) => mask.set([1, 2, 3, 4]) });
    assert.equal(maskingKey!(), 0x04030201);
  });

  it("refuses a peer with context takeover if there are no contexts", (t) => {
    hideContexts(true);
    t.after(() => hideContexts(false));
    assert.throws(() => protocolSettings({ role: "server", extensions: "permessage-deflate" }), {
      code: "core.invalid_argument",
      message: /client_no_context_takeover/,
    });
  });
});
