import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createWebSocketStream, WebSocket, WebSocketServer } from "../../src/ws/index.ts";

let wss: WebSocketServer;
let url: string;
/** The server's side of the next connection. */
const accepted = (): Promise<WebSocket> => once(wss, "connection").then(([ws]) => ws as WebSocket);

/** The client's side as a stream, and the server's. */
async function connected(options?: object): Promise<{ client: WebSocket; stream: Duplex; server: WebSocket }> {
  const server = accepted();
  const client = new WebSocket(url);
  const stream = createWebSocketStream(client, options);
  await once(client, "open");
  return { client, stream, server: await server };
}

describe("createWebSocketStream", () => {
  beforeEach(async () => {
    wss = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(wss, "listening");
    url = `ws://127.0.0.1:${(wss.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const client of wss.clients) client.terminate();
    wss.close();
  });

  it("sends each chunk as a message, also before it is open, and reads the bytes of messages", async () => {
    const server = accepted();
    const stream = createWebSocketStream(new WebSocket(url));
    stream.write("first");
    stream.write(Buffer.from("second"));
    const ws = await server;
    const received: string[] = [];
    ws.on("message", (data) => {
      received.push(String(data));
      ws.send(data);
    });
    let read = "";
    for await (const chunk of stream) {
      read += String(chunk);
      if (read === "firstsecond") break;
    }
    assert.deepEqual(received, ["first", "second"]);
  });

  it("reads text as strings in object mode", async () => {
    const { stream, server } = await connected({ readableObjectMode: true });
    server.send("text");
    server.send(Buffer.from([1]));
    const read: unknown[] = [];
    for await (const chunk of stream) if (read.push(chunk) === 2) break;
    assert.deepEqual(read, ["text", Buffer.from([1])]);
  });

  it("begins the closing handshake when it is ended, after all was written", async () => {
    const { stream, server } = await connected();
    const message = once(server, "message");
    const closed = once(server, "close");
    stream.resume();
    stream.end("last");
    assert.equal(String((await message)[0]), "last");
    assert.equal((await closed)[0], 1005);
    await finished(stream);
    if (!stream.closed) await once(stream, "close");
  });

  it("ends when the peer closes", async () => {
    const { stream, server, client } = await connected();
    server.send("last");
    server.close();
    const read: Buffer[] = [];
    for await (const chunk of stream) read.push(chunk as Buffer);
    assert.equal(String(Buffer.concat(read)), "last");
    assert.equal(client.readyState, WebSocket.CLOSED);
  });

  it("terminates the WebSocket when it is destroyed", async () => {
    const { stream, server } = await connected();
    const closed = once(server, "close");
    const ended = once(stream, "close");
    stream.destroy();
    assert.equal((await closed)[0], 1006);
    await ended;
  });

  it("is destroyed by an error of the WebSocket, which closes as it would without the stream", async () => {
    const { stream, server } = await connected();
    const closed = once(server, "close");
    const failed = once(stream, "error");
    (server as unknown as { _socket: Duplex })._socket.write(Buffer.from([0x85, 0x00]));
    const [error] = (await failed) as [Error];
    assert.equal(error.message, "Invalid WebSocket frame: invalid opcode 5");
    assert.equal(stream.destroyed, true);
    assert.equal((await closed)[0], 1002);
  });

  it("fails with the error of the opening handshake", async () => {
    const other: Server = createServer((_, response) => response.end());
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const stream = createWebSocketStream(new WebSocket(`ws://127.0.0.1:${(other.address() as AddressInfo).port}`));
    stream.end("never sent");
    const [error] = (await once(stream, "error")) as [Error];
    assert.match(error.message, /^Unexpected server response: (200|426)$|socket hang up/);
    other.close();
    other.closeAllConnections();
  });

  it("pauses the WebSocket while nobody reads", async () => {
    const { stream, server, client } = await connected({ readableHighWaterMark: 4 });
    const message = once(client, "message");
    server.send("more than that");
    await message;
    assert.equal(client.isPaused, true);
    assert.equal(String(stream.read()), "more than that");
    await new Promise(setImmediate);
    assert.equal(client.isPaused, false);
  });
});
