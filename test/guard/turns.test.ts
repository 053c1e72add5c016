// What is done in one turn of the event loop: a peer can't make it long, and an ordinary load leaves it alone.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { deflatedFrame, maskedFrame } from "../../bench/load/frames.ts";
import { http, net, serve } from "../../src/index.ts";
import { deferred } from "../support/quiet.ts";
import { TurnCounter } from "../support/turn-counter.ts";

const host = "127.0.0.1";

/** How many immediates are set while `work` is done, by anyone in this process. */
async function immediatesDuring(work: () => Promise<void>): Promise<number> {
  const original = globalThis.setImmediate;
  let count = 0;
  const counting = ((...args: Parameters<typeof original>) => {
    count++;
    return original(...args);
  }) as typeof original;
  globalThis.setImmediate = Object.assign(counting, original);
  try {
    await work();
    return count;
  } finally {
    globalThis.setImmediate = original;
  }
}

interface Load {
  readonly request: Uint8Array;
  readonly replySize: number;
  readonly connections?: number;
  readonly rounds?: number;
}

/** Sends a request many times on each of some connections, the next when the reply to the last has come, of which the size is known. */
async function load(
  port: number,
  begin: (socket: Socket) => Promise<void>,
  { request, replySize, connections = 20, rounds = 100 }: Load,
): Promise<void> {
  const sockets = Array.from({ length: connections }, () => connect({ port, host, noDelay: true }));
  await Promise.all(sockets.map(begin));
  const immediates = await immediatesDuring(async () => {
    await Promise.all(sockets.map((socket) => exchange(socket, { request, replySize, rounds })));
  });
  for (const socket of sockets) socket.destroy();
  assert.equal(immediates, 0);
}

function exchange(socket: Socket, { request, replySize, rounds = 0 }: Load): Promise<void> {
  return new Promise((resolve) => {
    let [received, sent] = [0, 1];
    socket.on("data", ({ length }) => {
      received += length;
      if (received < replySize) return;
      received -= replySize;
      if (sent++ === rounds) resolve();
      else socket.write(request);
    });
    socket.write(request);
  });
}

/** Sends a request, and waits for the end of the head of its response, or for as many bytes. */
function ask(socket: Socket, request: string, size = 0): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    const onData = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      if (!text.includes("\r\n\r\n") || text.length < size) return;
      socket.off("data", onData);
      resolve();
    };
    socket.on("data", onData);
    socket.write(request);
  });
}

const extensions =
  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";

function upgradeWith(headers: string): string {
  return (
    `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
  );
}

/** Bytes that 267 bytes of a frame inflate to, some 0.4 ms of work. */
const bomb = 250_000;

for (const [count, most] of [
  [1, 4 * bomb],
  // The 8 ms of all, and one message of each that came too late for them.
  [20, (24 + 20) * bomb],
] as const) {
  test(`${count} that send what inflates to much have no more than their share of a turn`, async (t) => {
    const inflated = new TurnCounter();
    const each = 600 / count;
    const total = each * count;
    let messages = 0;
    const all = deferred();
    const message = (_: unknown, data: string | Uint8Array): void => {
      inflated.count(data.length);
      if (++messages === total) all.resolve();
    };
    const server = await serve({ port: 0, host, rate: false, deflate: true, message });
    t.after(() => server.close());
    const sockets = Array.from({ length: count }, () => connect({ port: server.port!, host, noDelay: true }));
    await Promise.all(sockets.map((socket) => ask(socket, upgradeWith(extensions))));
    const frame = deflatedFrame(0x82, new Uint8Array(bomb));
    const flood = Buffer.concat(Array.from({ length: each }, () => frame));
    await inflated.during(async () => {
      for (const socket of sockets) socket.write(flood);
      await all.promise;
    });
    assert.equal(messages, total);
    assert.ok(inflated.most <= most, `${inflated.most} bytes in a turn`);
    assert.ok([...server.sockets].every((ws) => ws.stats().turnsWaited > 0));
    for (const socket of sockets) socket.destroy();
  });
}

test("100 that send bodies in chunks of a byte have no more than the common share of a turn", async (t) => {
  const chunks = 6000;
  const taken = new TurnCounter();
  const all = deferred();
  let left = 100;
  const listener = await net.listen({ port: 0, host }, (stream) => {
    const take = async (request: http.IncomingRequest): Promise<http.Response> => {
      for await (const part of request.body as AsyncIterable<Uint8Array>) taken.count(part.length);
      if (--left === 0) all.resolve();
      return new http.Response();
    };
    http.serve(stream, (request) => (request.method === "POST" ? take(request) : new http.Response())).catch(() => {});
  });
  t.after(() => listener.close());
  const sockets = Array.from({ length: left }, () => connect({ port: listener.address().port!, host, noDelay: true }));
  await Promise.all(sockets.map((socket) => ask(socket, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
  const head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  await taken.during(async () => {
    for (const socket of sockets) socket.write(`${head}${"1\r\nx\r\n".repeat(chunks)}0\r\n\r\n`);
    await all.promise;
  });
  // 40,000 chunks are 8 ms' worth; the last part may exceed that.
  assert.ok(taken.most <= 40_000 + 2500, `${taken.most} chunks in a turn`);
  for (const socket of sockets) socket.destroy();
});

const upgrade = upgradeWith("");

for (const [name, depth, size, connections] of [
  ["one message of 64 B in flight", 1, 64, 20],
  ["batches of 64 messages of 64 B", 64, 64, 20],
  ["messages of 16 KiB", 1, 16 * 1024, 20],
  ["messages of 1 MiB", 1, 1024 * 1024, 2],
] as const) {
  test(`an echo of ${name} sets no immediate`, async (t) => {
    const server = await serve({ port: 0, host, rate: false, message: (ws, message) => ws.write(message) });
    t.after(() => server.close());
    const frame = maskedFrame(0x82, new Uint8Array(size));
    const request = Buffer.concat(Array.from({ length: depth }, () => frame));
    // A long message comes back in frames of 128 KiB.
    const headers = size < 126 ? 2 : size < 65_536 ? 4 : (size / (128 * 1024)) * 10;
    const replySize = depth * (headers + size);
    await load(server.port!, (socket) => ask(socket, upgrade), { request, replySize, connections });
  });
}

test("a load of GET requests sets no immediate", async (t) => {
  const body = "Hello, world!\n";
  const listener = await net.listen({ port: 0, host }, (stream) => {
    http.serve(stream, () => new http.Response({ body }), { date: false }).catch(() => {});
  });
  t.after(() => listener.close());
  const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const replySize = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`.length;
  const begin = (socket: Socket): Promise<void> => ask(socket, request, replySize);
  await load(listener.address().port!, begin, { request: Buffer.from(request), replySize });
});
