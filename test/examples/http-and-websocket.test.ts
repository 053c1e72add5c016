import assert from "node:assert/strict";
import { connect } from "node:net";
import { it } from "node:test";
import { buffer } from "node:stream/consumers";
import { WebSocket } from "ws";
import { messageOf } from "./support/conversation.ts";
import { startExample } from "./support/example.ts";

it("answers HTTP and WebSocket on one port", async (t) => {
  const { port } = await startExample(t, "http-and-websocket");
  const url = `http://127.0.0.1:${port}`;
  assert.match(await (await fetch(url)).text(), /^Hello/);
  const post = (path: string, body: string): Promise<Response> => fetch(`${url}${path}`, { method: "POST", body });
  const large = "x".repeat(500_000);
  assert.equal(await (await post("/echo", large)).text(), large);
  assert.deepEqual(await (await post("/sum", "[1, 2, 39]")).json(), { sum: 42 });
  assert.deepEqual([(await post("/sum", "{}")).status, (await post("/sum", "{")).status], [422, 422]);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  assert.equal(await messageOf(new WebSocket(`ws://127.0.0.1:${port}/any`), "hello"), "hello");
});

it("answers requests pipelined before an upgrade, then speaks WebSocket", async (t) => {
  const { port } = await startExample(t, "http-and-websocket");
  const socket = connect(port, "127.0.0.1");
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69, 0x88, 0x80, 0, 0, 0, 0]);
  const upgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  socket.write(Buffer.concat([Buffer.from(`GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`), frame]));
  const answer = (await buffer(socket)).toString("latin1");
  assert.match(answer, /^HTTP\/1.1 404 Not Found\r\n.*There is nothing here\nHTTP\/1.1 101 /s);
  assert.ok(answer.endsWith("\r\n\r\n\u0081\u0002hi\u0088\u0000"));
});
