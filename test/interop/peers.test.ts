import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import * as tls from "node:tls";
import { test } from "node:test";
import { WebSocket as WsWebSocket } from "ws";
import { connect } from "../../src/client/index.ts";
import { Request } from "../../src/http/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { serve } from "../../src/server/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { localhost } from "../support/localhost.ts";
import { until } from "../support/until.ts";
import { clients, converse, echo, WsEcho, type Client } from "./support/conversation.ts";

// Real peers, on real sockets, doing what their users do. Nobody's reads may show up late: see scrubReads.
scrubReads(true);

for (const [name, connect] of clients) {
  test(`${name} talks to serve`, async () => {
    await using server = await serve({ port: 0, host: "127.0.0.1", ...echo });
    await converse(connect(`ws://127.0.0.1:${server.port}/`));
  });

  test(`${name} talks to a Stream on the socket of a node:http upgrade`, async () => {
    const server = http.createServer();
    const closed = new Promise((resolve) => {
      server.on("upgrade", (incoming, socket, head) => {
        const ws = new Stream(socket, echo);
        void ws.accept(Request.from(incoming), { buffered: head });
        assert.deepEqual([ws.peer?.address, ws.peer?.port], ["127.0.0.1", incoming.socket.remotePort]);
        resolve(ws.closed);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await converse(connect(`ws://127.0.0.1:${(server.address() as net.AddressInfo).port}/`));
    assert.deepEqual(await closed, { code: 4321, reason: "done", clean: true });
    server.close();
  });
}

test("our client talks to ws", async () => {
  await using server = await WsEcho.listen();
  const [, connectOurs] = clients.find(([name]) => name === "our client")!;
  await converse(connectOurs(`ws://127.0.0.1:${server.port}/`));
});

test("ws as a server pings us, is pinged, and closes", async () => {
  await using server = await WsEcho.listen();
  const controls: string[] = [];
  let ponged!: () => void;
  const pong = new Promise<void>((resolve) => (ponged = resolve));
  const connected = server.connected();
  const ws = await connect(`ws://127.0.0.1:${server.port}/`, {
    control: (_, kind, payload) => {
      controls.push(`${kind} ${Buffer.from(payload).toString("latin1")}`);
      if (kind === "pong") ponged();
    },
  });
  const theirs = await connected;
  theirs.ping("are you there?");
  const [answer] = (await once(theirs, "pong")) as [Buffer];
  assert.equal(String(answer), "are you there?");
  void ws.ping("and you?");
  await pong;
  const told = once(theirs, "close");
  theirs.close(4000, "bye");
  assert.deepEqual(await ws.closed, { code: 4000, reason: "bye", clean: true });
  assert.equal((await told)[0], 4000);
  assert.deepEqual(controls, ["ping are you there?", "pong and you?", "close \x0f\xa0bye"]);
});

test("ws talks to a Stream on a TLS socket", async () => {
  const { key, cert } = localhost;
  const server = tls.createServer({ key, cert });
  const closed = new Promise((resolve) => {
    server.on("secureConnection", (socket) => {
      const ws = new Stream(socket, echo);
      void ws.accept();
      assert.deepEqual(ws.peer, { address: "127.0.0.1", port: socket.remotePort, family: "IPv4" });
      resolve(ws.closed);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await converse(
    new WsWebSocket(`wss://127.0.0.1:${(server.address() as net.AddressInfo).port}/`, {
      rejectUnauthorized: false,
    }) as unknown as Client,
  );
  assert.deepEqual(await closed, { code: 4321, reason: "done", clean: true });
  server.close();
});

test("messages that come with the upgrade request through node:http are the first frames", async () => {
  const server = http.createServer();
  const received = new Promise((resolve) => {
    server.on("upgrade", (incoming, socket, head) => {
      assert.ok(head.length > 0);
      const ws = new Stream(socket);
      ws.accept(Request.from(incoming), { buffered: head }, () => resolve(ws.read()));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const socket = net.connect(port, "127.0.0.1");
  const head =
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  // A masked text frame with a key of zeros.
  socket.write(Buffer.concat([Buffer.from(head), Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from("early")]));
  assert.equal(await received, "early");
  socket.destroy();
  server.close();
});

test("ws pings and is answered, and answers our pings", async () => {
  let ponged!: (payload: string) => void;
  const pong = new Promise<string>((resolve) => (ponged = resolve));
  await using server = await serve({
    port: 0,
    host: "127.0.0.1",
    open: (ws) => ws.ping("are you there?"),
    control: (_, kind, payload) => {
      if (kind === "pong") ponged(new TextDecoder().decode(payload));
    },
  });
  const ws = new WsWebSocket(`ws://127.0.0.1:${server.port}/`);
  await once(ws, "open");
  ws.ping("and you?");
  const [answer] = (await once(ws, "pong")) as [Buffer];
  assert.equal(String(answer), "and you?");
  assert.equal(await pong, "are you there?");
});

test("a client that resets affects no other", async () => {
  const codes: number[] = [];
  await using server = await serve({ port: 0, host: "127.0.0.1", ...echo, close: (_ws, { code }) => codes.push(code) });
  const steady = new WsWebSocket(`ws://127.0.0.1:${server.port}/`);
  await once(steady, "open");
  for (let i = 0; i < 20; i++) {
    const ws = new WsWebSocket(`ws://127.0.0.1:${server.port}/`);
    await once(ws, "open");
    ws.send(new Uint8Array(100_000));
    // A reset with data in flight both ways.
    (ws as unknown as { _socket: net.Socket })._socket.resetAndDestroy();
    ws.on("error", () => {});
    await once(ws, "close");
  }
  steady.send("still here");
  const [data] = (await once(steady, "message")) as [Buffer];
  assert.equal(String(data), "still here");
  steady.terminate();
  await until(() => server.connections === 0);
  assert.deepEqual(
    codes,
    Array.from({ length: 21 }, () => 1006),
  );
});

test("no client sees another's bytes, with a handler that awaits between messages", async () => {
  // Both write into the one buffer that all sockets read into, in halves of messages, as fast as they can.
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await using server = await serve({
    port: 0,
    host: "127.0.0.1",
    message: async (ws, message) => {
      await turn();
      await ws.write(message);
    },
  });
  await Promise.all(
    ["a", "b", "c"].map(async (letter) => {
      const ws = new WsWebSocket(`ws://127.0.0.1:${server.port}/`);
      await once(ws, "open");
      const sizes = Array.from({ length: 60 }, (_, i) => (i * 7919) % 5000);
      const received: string[] = [];
      const done = new Promise<void>((resolve) => {
        ws.on("message", (data: Buffer) => {
          received.push(String(data));
          if (received.length === sizes.length) resolve();
        });
      });
      for (const size of sizes) ws.send(letter.repeat(size));
      await done;
      assert.deepEqual(
        received,
        sizes.map((size) => letter.repeat(size)),
      );
      ws.terminate();
    }),
  );
});
