import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { acceptance, askedBy, refuse, whyNoHandshake, type Asked } from "../../src/ws/server-opening.ts";

const headers = {
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};
const request = (more: object = {}, method = "GET"): IncomingMessage =>
  ({ method, headers: { ...headers, ...more } }) as IncomingMessage;

describe("whyNoHandshake", () => {
  it("accepts versions 13 and 8, and any case of websocket", () => {
    assert.equal(whyNoHandshake(request()), undefined);
    assert.equal(whyNoHandshake(request({ "sec-websocket-version": "8", upgrade: "WebSocket" })), undefined);
  });

  it("says what is wrong, with the status", () => {
    const why = (req: IncomingMessage): unknown => {
      const refusal = whyNoHandshake(req)!;
      return [refusal.status, refusal.message];
    };
    assert.deepEqual(why(request({}, "POST")), [405, "Invalid HTTP method"]);
    assert.deepEqual(why(request({ upgrade: "h2c" })), [400, "Invalid Upgrade header"]);
    for (const key of [undefined, "x", "dGhlIHNhbXBsZSBub25jZQ="]) {
      const expected = [400, "Missing or invalid Sec-WebSocket-Key header"];
      assert.deepEqual(why(request({ "sec-websocket-key": key })), expected);
    }
    const version = request({ "sec-websocket-version": "12" });
    assert.deepEqual(why(version), [400, "Missing or invalid Sec-WebSocket-Version header"]);
    assert.deepEqual(whyNoHandshake(version)!.headers, { "Sec-WebSocket-Version": "13, 8" });
  });
});

describe("askedBy", () => {
  it("has the subprotocols in order, and compression if the server has it too", () => {
    const req = request({
      "sec-websocket-protocol": "b, a",
      "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
    });
    const without = askedBy(req, false, 100) as Asked;
    assert.deepEqual([[...without.protocols], without.deflate], [["b", "a"], undefined]);
    const { deflate } = askedBy(req, { serverNoContextTakeover: true }, 100) as Asked;
    assert.deepEqual({ ...deflate!.params }, { server_no_context_takeover: true });
    assert.equal((askedBy(request({ "sec-websocket-extensions": "other" }), {}, 100) as Asked).deflate, undefined);
  });

  it("refuses what is malformed or can't be accepted", () => {
    assert.deepEqual(askedBy(request({ "sec-websocket-protocol": "a,,b" }), false, 0), {
      status: 400,
      message: "Invalid Sec-WebSocket-Protocol header",
      headers: {},
    });
    for (const value of ["permessage-deflate; x=", "permessage-deflate; server_max_window_bits=20"]) {
      assert.deepEqual(askedBy(request({ "sec-websocket-extensions": value }), {}, 0), {
        status: 400,
        message: "Invalid or unacceptable Sec-WebSocket-Extensions header",
        headers: {},
      });
    }
  });
});

describe("acceptance", () => {
  it("has the accept key of RFC 6455 section 1.3, the subprotocol and what was agreed", () => {
    const { deflate } = askedBy(request({ "sec-websocket-extensions": "permessage-deflate" }), {}, 0) as Asked;
    assert.deepEqual(acceptance(headers["sec-websocket-key"], "chat", deflate), [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      "Sec-WebSocket-Protocol: chat",
      "Sec-WebSocket-Extensions: permessage-deflate",
    ]);
    assert.equal(acceptance(headers["sec-websocket-key"], false).length, 4);
  });
});

describe("refuse", () => {
  it("answers with status, headers and body, and ends the socket", () => {
    const socket = new PassThrough();
    refuse(socket, { status: 401, headers: { "X-Why": "x" } });
    const expected =
      "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 12\r\nX-Why: x\r\n\r\nUnauthorized";
    assert.equal(String(socket.read()), expected);
    assert.equal(socket.writableEnded, true);
  });
});
