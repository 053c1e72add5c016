// The load generator on real servers: ours, and one that does everything wrong.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { churn, requests } from "../../../bench/load/churn.ts";
import { EchoGroup } from "../../../bench/load/echo.ts";
import { Flood, pulse } from "../../../bench/load/flood.ts";
import { publishedFrames, type MessageForm } from "../../../bench/load/frames.ts";
import { fileContent } from "../../../bench/load/http-forms.ts";
import { Receivers } from "../../../bench/load/receivers.ts";
import { openMany, openWebSocket } from "../../../bench/load/upgrade.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/index.ts";
import { localhost } from "../../support/localhost.ts";

const host = "127.0.0.1";
const text = { size: 64, text: true, deflate: false };
const few = { depth: 4, connections: 3, tls: false };

async function echoServer(t: TestContext, options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ port: 0, host, rate: false, message: (ws, message) => ws.write(message), ...options });
  t.after(() => server.close());
  return server;
}

/** A server that does this with the bytes of each connection. */
async function rawServer(t: TestContext, onData: (socket: Socket, data: Buffer) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("data", (data) => onData(socket, data));
  });
  server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const accepted = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

describe("the load of an echo server", () => {
  const runs = async (port: number, form: MessageForm, how: typeof few): Promise<void> => {
    const group = await EchoGroup.openWebSockets(port, form, how);
    for (let i = 0; i < 2; i++) {
      const { operations, seconds, p50, p99, max } = await group.run(20);
      assert.ok(operations >= how.depth * how.connections && operations % how.depth === 0, `${operations}`);
      assert.ok(seconds > 0 && p50 > 0 && p50 <= p99 && p99 <= max);
    }
    group.close();
  };

  it("counts text, bytes, large messages and compressed ones", async (t) => {
    const { port } = await echoServer(t, { deflate: true });
    await runs(port!, text, few);
    await runs(port!, { size: 100_000, text: false, deflate: false }, few);
    await runs(port!, { size: 477, text: true, deflate: true }, few);
  });

  it("is compressed with context takeover", async (t) => {
    const texts: unknown[] = [];
    const { port } = await echoServer(t, {
      deflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
      message: (ws, message) => {
        texts.push(message);
        return ws.write(message);
      },
    });
    await runs(port!, { size: 477, text: true, deflate: "takeover" }, few);
    for (const message of texts) assert.ok(JSON.parse(String(message)));
    assert.ok(new Set(texts).size > few.depth);
  });

  it("goes over TLS", async (t) => {
    const { port } = await echoServer(t, { tls: localhost });
    await runs(port!, text, { ...few, tls: true });
  });

  it("is refused if the server does not echo", async (t) => {
    const { port } = await echoServer(t, { message: (ws) => ws.write("something else") });
    await assert.rejects(EchoGroup.openWebSockets(port!, text, few), /what came back is not what was sent/);
  });

  it("is refused if compression was not negotiated", async (t) => {
    const { port } = await echoServer(t);
    await assert.rejects(EchoGroup.openWebSockets(port!, { ...text, deflate: true }, few), /was not agreed on/);
  });

  it("is refused if context takeover was not agreed on", async (t) => {
    const { port } = await echoServer(t, { deflate: true });
    await assert.rejects(EchoGroup.openWebSockets(port!, { ...text, deflate: "takeover" }, few), /takeover is not as/);
  });

  it("fails if a connection ends", async (t) => {
    let left = 2;
    const { port } = await echoServer(t, {
      message: (ws, message) => (left-- > 0 ? ws.write(message) : ws.terminate()),
    });
    const group = await EchoGroup.openWebSockets(port!, text, { depth: 1, connections: 1, tls: false });
    await assert.rejects(group.run(60_000), /the server ended a connection/);
    group.close();
  });
});

describe("the load of an HTTP server", () => {
  const one = { depth: 1, connections: 3 };
  const greet = (): Response => new Response("Hello, world!\n");

  it("counts responses, one or several at once", async (t) => {
    const { port } = await echoServer(t, { fetch: greet });
    for (const depth of [1, 16]) {
      const group = await EchoGroup.openHttp(port!, "get", { ...one, depth });
      const { operations } = await group.run(20);
      assert.ok(operations >= 3 * depth && operations % depth === 0);
      group.close();
    }
  });

  it("sends bodies, and takes those of known size and those in chunks", async (t) => {
    const fetch = async (request: Request): Promise<Response> => {
      const text = await request.text();
      return new Response(new Blob([text.startsWith("{") ? text : `${text.length}`]).stream());
    };
    const { port } = await echoServer(t, { fetch });
    await EchoGroup.openHttp(port!, "json", one).then((group) => group.close());
    const sized = await echoServer(t, { fetch: async (request) => new Response(await request.text()) });
    await EchoGroup.openHttp(sized.port!, "json", one).then((group) => group.close());
    const counting = await echoServer(t, {
      fetch: async (request) => new Response(`${(await request.arrayBuffer()).byteLength}`),
    });
    await EchoGroup.openHttp(counting.port!, "upload", one).then((group) => group.close());
    const sending = await echoServer(t, { fetch: () => new Response(fileContent) });
    await EchoGroup.openHttp(sending.port!, "file", one).then((group) => group.close());
  });

  it("opens a connection for each request", async (t) => {
    const { port } = await echoServer(t, { fetch: greet });
    assert.equal((await requests(port!, "get", { count: 60 })).operations, 60);
  });

  it("is refused if the response differs from the expected one", async (t) => {
    const port = await rawServer(t, (socket) => socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    await assert.rejects(EchoGroup.openHttp(port, "get", one), /not the response expected: HTTP\/1.1 404/);
    const { port: other } = await echoServer(t, { fetch: () => new Response("Good bye") });
    await assert.rejects(EchoGroup.openHttp(other!, "get", one), /not the response expected: HTTP\/1.1 200.*Good bye/s);
    await assert.rejects(requests(other!, "get", { count: 1 }), /not the response expected/);
  });
});

describe("opening and ending connections", () => {
  it("counts them, reset or closed in order", async (t) => {
    const codes: number[] = [];
    const { port } = await echoServer(t, { close: (_ws, { code }) => void codes.push(code) });
    assert.equal((await churn(port!, "handshake", { count: 40 })).operations, 40);
    assert.deepEqual(new Set(codes), new Set([1000]));
    assert.equal((await churn(port!, "reset", { count: 40 })).operations, 40);
    assert.ok((await churn(port!, "reset", { milliseconds: 10 })).operations > 0);
  });

  it("fails if there is no upgrade, no server, or no close frame", async (t) => {
    const plain = await rawServer(t, (socket) => socket.write("HTTP/1.1 403 Forbidden\r\n\r\n"));
    await assert.rejects(churn(plain, "reset", { count: 1 }), /no upgrade: HTTP\/1.1 403/);
    const rude = await rawServer(t, (socket, data) => (data[0] === 0x47 ? socket.write(accepted) : socket.end()));
    await assert.rejects(churn(rude, "handshake", { count: 1 }), /without a close frame/);
    await assert.rejects(churn(1, "reset", { count: 1 }), /no connection to port 1/);
    const wrong = accepted.replace("s3p", "S3p");
    const other = await rawServer(t, (socket) => socket.write(wrong));
    await assert.rejects(churn(other, "reset", { count: 1 }), /the server's accept value is not that of the key/);
  });
});

describe("a broadcast", () => {
  it("is complete when all its bytes have arrived, before or after they are awaited", async (t) => {
    const server = await echoServer(t, { open: (ws) => void ws.subscribe("all") });
    const receivers = new Receivers(await openMany(4, () => openWebSocket(server.port!)));
    for (let i = 0; i < 3; i++) {
      const received = receivers.receive(4 * (2 + 100));
      server.publish("all", new Uint8Array(100));
      assert.equal((await received).operations, 1);
    }
    receivers.close();
  });

  it("is compared with what the programs publish", async (t) => {
    const server = await echoServer(t, { open: (ws) => void ws.subscribe("all") });
    for (const [first, isRight] of [
      [0, true],
      [1, false],
    ] as const) {
      const receivers = new Receivers(await openMany(2, () => openWebSocket(server.port!)));
      const frames = publishedFrames(2, 200);
      const received = receivers.receive(2 * frames.length);
      for (const number of [first, 1]) server.publish("all", new Uint8Array(200).fill(number));
      await received;
      if (isRight) receivers.check(frames);
      else assert.throws(() => receivers.check(frames), /what came is not what was published/);
      receivers.close();
    }
  });
});

describe("a flood", () => {
  it("goes on beside an honest client", async (t) => {
    const server = await echoServer(t, { deflate: true, rate: undefined });
    for (const kind of ["messages", "pings", "inflate", "streams"] as const) {
      const flood = await Flood.open(server.port!, 2, kind);
      flood.start();
      const { operations, p50, p99, max } = await pulse(server.port!, { milliseconds: 50 });
      assert.ok(operations > 0 && p50 > 0 && p50 <= p99 && p99 <= max, kind);
      assert.equal(flood.ended, 0, kind);
      flood.close();
    }
  });

  it("goes on beside an honest client also if it is one of requests", async (t) => {
    const fetch = async (request: Request): Promise<Response> => new Response(`${(await request.text()).length}`);
    const { port } = await echoServer(t, { fetch });
    for (const kind of ["requests", "chunks"] as const) {
      const flood = await Flood.open(port!, 2, kind);
      flood.start();
      assert.ok((await pulse(port!, { milliseconds: 50, isHttp: true })).operations > 0, kind);
      assert.equal(flood.ended, 0, kind);
      flood.close();
    }
  });

  it("tells how many of its connections the server has ended", async (t) => {
    const { port } = await echoServer(t, { deflate: true, message: (ws) => ws.terminate() });
    const flood = await Flood.open(port!, 2, "messages");
    flood.start();
    while (flood.ended < 2) await new Promise((resolve) => setImmediate(resolve));
    flood.close();
  });
});
