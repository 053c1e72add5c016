import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect } from "../../../src/client/index.ts";
import { fromDuplex } from "../../../src/core/index.ts";
import { Fields, Request, Response } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { Stream, type AttachOptions, type StreamOptions } from "../../../src/websocket/index.ts";
import { quiet } from "../../support/quiet.ts";
import { close, concat, text } from "../support/frames.ts";

/** Two streams that are attached to the ends of a pair. */
function attached(
  extensions?: string,
  options: StreamOptions = {},
  more: Partial<AttachOptions> = {},
): { server: Stream; client: Stream } {
  const [ours, theirs] = pair();
  const server = new Stream(ours, options);
  const client = new Stream(theirs);
  server.attach({ role: "server", extensions, ...more });
  client.attach({ role: "client", extensions });
  return { server, client };
}

describe("attach", () => {
  it("is open at once, in either role, and messages go both ways", async () => {
    const { server, client } = attached();
    assert.deepEqual([server.isOpen, client.isOpen, server.protocol], [true, true, ""]);
    await client.write("to the server");
    assert.equal(await server.read(), "to the server");
    await server.write("to the client");
    assert.equal(await client.read(), "to the client");
    const closing = server.read();
    await client.close({ code: 4000, reason: "done" });
    await assert.rejects(closing, { code: "websocket.closed" });
    assert.deepEqual(await server.closed, { code: 4000, reason: "done", clean: true });
  });

  it("shows what it was given, calls `open` after the call, and begins with bytes that were received", async () => {
    const seen: unknown[] = [];
    const request = new Request({ target: "/chat", headers: { "X-From": "elsewhere" } });
    const response = new Response({ status: 101, headers: new Fields([["X-From", "there"]]) });
    const frames = concat(
      text("1", { key: undefined }),
      text("2", { key: undefined }),
      close(1000, "", { key: undefined }),
    );
    const ws = new Stream<number>(pair()[0], {
      open: ({ data }) => void seen.push("open", data),
      message: (_, message) => void seen.push(message),
    });
    ws.attach({
      role: "client",
      request,
      response,
      data: 7,
      subprotocol: "chat",
      buffered: [frames.subarray(0, 5), frames.subarray(5)],
    });
    frames.fill(0);
    assert.deepEqual(seen, []);
    assert.deepEqual([ws.request, ws.response, ws.protocol, ws.data], [request, response, "chat", 7]);
    await quiet();
    assert.deepEqual(seen, ["open", 7, "1", "2"]);
    ws.terminate();
  });

  for (const extensions of [
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10",
  ]) {
    it(`RFC 7692 7.1: compresses as negotiated, with or without the option deflate: ${extensions}`, async () => {
      for (const deflate of [false, { threshold: 0, level: 9 }]) {
        const { server, client } = attached(extensions, { deflate });
        const message = "again and again ".repeat(100);
        for (let i = 0; i < 3; i++) {
          await client.write(message);
          assert.equal(await server.read(), message);
          await server.write(message);
          assert.equal(await client.read(), message);
        }
        const { compressionReceived, compressionSent } = server.stats();
        assert.ok(compressionReceived! < 0.1 && compressionSent! < 0.1);
        client.terminate();
        server.terminate();
      }
    });
  }

  it("is one handshake, and the only one", async () => {
    const { server, client } = attached();
    assert.throws(() => server.attach({ role: "server" }), { code: "websocket.already_started" });
    await assert.rejects(server.accept(), { code: "websocket.already_started" });
    client.terminate();
    server.terminate();
    const other = new Stream(pair()[0]);
    const accepting = other.accept();
    assert.throws(() => other.attach({ role: "server" }), { code: "core.operation_pending" });
    other.terminate();
    await assert.rejects(accepting, { code: "core.aborted" });
  });

  for (const [name, wrong, message] of [
    ["no role", {}, /"server" or "client"/],
    ["a role that is none", { role: "peer" }, /"server" or "client", not "peer"/],
    ["another name", { role: "server", protocols: ["a"] }, /protocols/],
    ["an extension that we have not", { role: "server", extensions: "x-webkit-deflate-frame" }, /permessage-deflate/],
    [
      "two",
      { role: "server", extensions: "permessage-deflate, permessage-deflate" },
      /permessage-deflate, and nothing else/,
    ],
    [
      "an offer",
      { role: "server", extensions: "permessage-deflate; client_max_window_bits" },
      /permessage-deflate, and nothing else/,
    ],
    ["no text", { role: "server", extensions: {} }, /a string/],
    ["a request of fetch", { role: "server", request: new globalThis.Request("http://a/") }, /http\.Request/],
    ["a response of fetch", { role: "server", response: new globalThis.Response() }, /http\.Response/],
    ["a list as subprotocol", { role: "server", subprotocol: ["a"] }, /a string/],
    ["text as bytes", { role: "server", buffered: "abc" }, /Uint8Array/],
  ] as const) {
    it(`refuses ${name}, and can be attached after that`, () => {
      const ws = new Stream(pair()[0]);
      assert.throws(() => ws.attach(wrong as unknown as AttachOptions), { code: "core.invalid_argument", message });
      ws.attach({ role: "server" });
      assert.equal(ws.isOpen, true);
      ws.terminate();
    });
  }

  it("begins after a handshake made by node:http and a few lines", async () => {
    const http = createServer();
    http.on("upgrade", (request, socket, head) => {
      const key = request.headers["sec-websocket-key"]!;
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      const ws = new Stream(fromDuplex(socket), { message: (one, message) => void one.send(message) });
      ws.attach({ role: "server", request: Request.from(request), buffered: head });
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const ws = await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    await ws.write("hello");
    assert.equal(await ws.read(), "hello");
    await ws.close();
    http.close();
  });
});
