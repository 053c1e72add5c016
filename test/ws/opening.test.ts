import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import {
  abortHandshake,
  acceptOf,
  connectionDefaults,
  emitErrorAndClose,
  isAborted,
  readyState,
  type OpeningWebSocket,
} from "../../src/ws/opening.ts";

/** A WebSocket in its opening handshake, and the events it emitted. */
function opening(): { ws: OpeningWebSocket; events: string[] } {
  const events: string[] = [];
  const ws: OpeningWebSocket = Object.assign(new EventEmitter(), {
    _readyState: readyState.connecting,
    _errorEmitted: false,
    _url: undefined,
    _protocol: "",
    _extensions: {},
    _req: null,
    _redirects: 0,
    readyState: readyState.connecting,
    setSocket: () => {},
    emitClose: () => void ws.emit("close"),
  });
  ws.on("error", (error: Error) => events.push(`error ${error.message}`));
  ws.on("close", () => events.push("close"));
  return { ws, events };
}

describe("emitErrorAndClose", () => {
  it("emits error, then close, in the state closing", () => {
    const { ws, events } = opening();
    emitErrorAndClose(ws, new Error("refused"));
    assert.deepEqual(events, ["error refused", "close"]);
    assert.equal(ws._readyState, readyState.closing);
    assert.equal(ws._errorEmitted, true);
  });
});

/** Waits for the event close; `once` of node:events would reject with the error before it. */
const closed = (ws: EventEmitter): Promise<unknown> => new Promise((resolve) => ws.once("close", resolve));

describe("abortHandshake", () => {
  it("ends a request that is not answered, and tells it later", async () => {
    const server = createServer().listen(0);
    await once(server, "listening");
    const { ws, events } = opening();
    const unanswered = request({ port: (server.address() as AddressInfo).port });
    unanswered.on("error", () => {});
    assert.equal(isAborted(unanswered), false);
    abortHandshake(ws, unanswered, "given up");
    assert.equal(isAborted(unanswered), true);
    assert.deepEqual(events, []);
    await closed(ws);
    assert.deepEqual(events, ["error given up", "close"]);
    assert.equal(unanswered.destroyed, true);
    server.close();
  });

  it("destroys a socket, and reports its end", async () => {
    const { ws, events } = opening();
    const socket = new PassThrough();
    abortHandshake(ws, socket, "wrong answer");
    await closed(ws);
    assert.deepEqual(events, ["error wrong answer", "close"]);
    assert.equal(socket.destroyed, true);
  });
});

describe("connectionDefaults", () => {
  it("has the limits of ws", () => {
    assert.equal(connectionDefaults.maxPayload, 104_857_600);
    assert.equal(connectionDefaults.maxFragments, 16_384);
    assert.equal(connectionDefaults.maxPendingAutoPongs, 60);
    assert.equal(connectionDefaults.closeTimeout, 30_000);
  });
});

describe("acceptOf", () => {
  it("is the answer of RFC 6455 section 1.3 to its key", () => {
    assert.equal(acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});
