import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { WebSocketServer } from "../../src/ws/web-socket-server.ts";
import { WebSocket } from "../../src/ws/web-socket.ts";
import { duplexPair, type End } from "./support/duplex.ts";
import { closed } from "./support/pair.ts";

function handshake(headers: object = {}): { request: IncomingMessage; socket: End; answer(): string } {
  const [socket] = duplexPair();
  const request = {
    method: "GET",
    url: "/chat?a=1",
    socket,
    headers: {
      upgrade: "websocket",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-version": "13",
      ...headers,
    },
  } as unknown as IncomingMessage;
  return { request, socket, answer: () => Buffer.concat(socket.writes).toString() };
}

const head = Buffer.alloc(0);

describe("new WebSocketServer", () => {
  it("wants one of port, server and noServer", () => {
    for (const options of [{}, { port: 0, noServer: true }, { noServer: true, server: createServer() }]) {
      assert.throws(() => new WebSocketServer(options), {
        name: "TypeError",
        message: 'One and only one of the "port", "server", or "noServer" options must be specified',
      });
    }
  });

  it("has its options with the defaults of ws", () => {
    const { options } = new WebSocketServer({ noServer: true, perMessageDeflate: true });
    assert.deepEqual(options.perMessageDeflate, {});
    assert.deepEqual([options.maxPayload, options.clientTracking, options.WebSocket], [104_857_600, true, WebSocket]);
  });
});

describe("handleUpgrade", () => {
  it("calls back in the same turn, after the answer, with a WebSocket that is open", () => {
    const server = new WebSocketServer({ noServer: true });
    const { request, socket, answer } = handshake({ "sec-websocket-protocol": "a, b" });
    const seen: unknown[] = [];
    server.on("headers", (lines: string[], req) => {
      assert.equal(req, request);
      lines.push("X-Own: 1");
    });
    server.handleUpgrade(request, socket, head, (ws, req) => seen.push(ws.readyState, ws.protocol, req === request));
    assert.deepEqual(seen, [WebSocket.OPEN, "a", true]);
    assert.match(answer(), /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Protocol: a\r\nX-Own: 1\r\n\r\n$/);
  });

  it("asks handleProtocols, also if it is set later", () => {
    const server = new WebSocketServer({ noServer: true });
    server.options.handleProtocols = (protocols) => [...protocols].at(-1)!;
    const { request, socket } = handshake({ "sec-websocket-protocol": "a, b" });
    let protocol;
    server.handleUpgrade(request, socket, head, (ws) => (protocol = ws.protocol));
    assert.equal(protocol, "b");
  });

  it("throws for a socket that is in use", () => {
    const server = new WebSocketServer({ noServer: true });
    const { request, socket } = handshake();
    server.handleUpgrade(request, socket, head, () => {});
    assert.throws(() => server.handleUpgrade(request, socket, head, () => {}), /more than once with the same socket/);
  });

  it("answers a refusal, or leaves it to wsClientError", () => {
    const server = new WebSocketServer({ noServer: true });
    const first = handshake({ upgrade: "h2c" });
    server.handleUpgrade(first.request, first.socket, head, assert.fail);
    assert.match(first.answer(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nInvalid Upgrade header$/);

    const second = handshake({ upgrade: "h2c" });
    const seen: unknown[] = [];
    server.on("wsClientError", (error: Error, socket, req) => seen.push(error.message, socket, req));
    server.handleUpgrade(second.request, second.socket, head, assert.fail);
    assert.deepEqual(seen, ["Invalid Upgrade header", second.socket, second.request]);
    assert.equal(second.answer(), "");
  });

  it("asks verifyClient, in either form", () => {
    for (const [verifyClient, expected] of [
      [(info: { origin: string }) => info.origin === "a", /^HTTP\/1\.1 101/],
      [() => false, /^HTTP\/1\.1 401 Unauthorized/],
      [(_: object, done: (is: boolean) => void) => done(true), /^HTTP\/1\.1 101/],
      [
        (_: object, done: (is: boolean, status: number, text: string, headers: object) => void) =>
          done(false, 404, "none", { "X-Own": "1" }),
        /^HTTP\/1\.1 404 Not Found\r\n[^]*X-Own: 1\r\n\r\nnone$/,
      ],
    ] as const) {
      const server = new WebSocketServer({ noServer: true, verifyClient: verifyClient as never });
      const { request, socket, answer } = handshake({ origin: "a" });
      server.handleUpgrade(request, socket, head, () => {});
      assert.match(answer(), expected);
    }
  });

  it("refuses other paths, also with a shouldHandle of the program's", () => {
    const server = new WebSocketServer({ noServer: true, path: "/chat" });
    assert.equal(server.shouldHandle(handshake().request), true);
    server.options.path = "/cha";
    const { request, socket, answer } = handshake();
    server.handleUpgrade(request, socket, head, assert.fail);
    assert.match(answer(), /^HTTP\/1\.1 400/);
    server.shouldHandle = () => true;
    let ws;
    server.handleUpgrade(request, handshake().socket, head, (made) => (ws = made));
    assert.ok(ws);
  });

  it("makes WebSockets of the class that it is given", () => {
    class Own extends WebSocket {}
    const server = new WebSocketServer({ noServer: true, WebSocket: Own });
    const { request, socket } = handshake();
    server.handleUpgrade(request, socket, head, (ws) => assert.ok(ws instanceof Own));
    assert.equal(server.clients.size, 1);
  });
});

describe("close", () => {
  it("waits for the clients, refuses new ones, and reports a second call", async () => {
    const server = new WebSocketServer({ noServer: true });
    const { request, socket } = handshake();
    let client!: WebSocket;
    server.handleUpgrade(request, socket, head, (ws) => (client = ws));
    const gone = once(server, "close");
    server.close();
    const late = handshake();
    server.handleUpgrade(late.request, late.socket, head, assert.fail);
    assert.match(late.answer(), /^HTTP\/1\.1 503/);
    client.terminate();
    await gone;
    assert.equal(server.clients.size, 0);
    const error = await new Promise((resolve) => server.close(resolve));
    assert.match(String(error), /The server is not running/);
  });
});

describe("over a port", () => {
  it("listens, answers other requests with 426, opens WebSockets, and closes", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal((await fetch(`http://127.0.0.1:${port}`)).status, 426);
    const accepted = once(server, "connection");
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    const [ws] = (await accepted) as [WebSocket];
    ws.on("message", (data) => ws.send(data));
    client.on("open", () => client.send("hello"));
    assert.equal(String(((await once(client, "message")) as unknown[])[0]), "hello");
    client.close();
    await closed(ws);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    assert.equal(server.address(), null);
  });
});
