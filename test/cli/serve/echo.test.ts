import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { echo } from "../../../src/cli/serve/echo.ts";

describe("echo", () => {
  it("echoes messages in their kind and order", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: false });
    const client = new WebSocket(`${server.url}/x`);
    await once(client, "open");
    const echoes: [string, boolean][] = [];
    client.on("message", (data, isBinary) => echoes.push([String(data), isBinary]));
    client.send("one");
    client.send(Buffer.from("two"));
    client.send("");
    client.close();
    await once(client, "close");
    assert.deepEqual(echoes, [
      ["one", false],
      ["two", true],
      ["", false],
    ]);
  });

  it("stops reading from a client that does not read", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: false });
    const client = new WebSocket(server.url);
    await once(client, "open");
    client.pause();
    const message = Buffer.alloc(1_000_000);
    const count = 64;
    const left: unknown[] = [];
    for (let i = 0; i < count; i++) client.send(message, (error) => left.push(error));
    // The system's buffers hold some; the server must not take the rest. It has enough turns to do so.
    let before: number;
    do {
      before = left.length;
      for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate);
    } while (before === 0 || left.length > before);
    assert.ok(left.length < count, `the server took all of ${count} messages`);
    let echoed = 0;
    const all = new Promise<void>((resolve, reject) => {
      client.on("close", () => reject(new Error(`closed after ${echoed} messages`)));
      client.on("message", () => ++echoed === count && resolve());
    });
    client.resume();
    await all;
    client.terminate();
  });

  it("compresses, and limits the message size, if asked to", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: true, maxMessageSize: 1000 });
    const client = new WebSocket(server.url, { perMessageDeflate: true });
    await once(client, "open");
    assert.match(client.extensions, /^permessage-deflate/);
    client.send("x".repeat(1000));
    assert.equal(String((await once(client, "message"))[0]), "x".repeat(1000));
    client.send("x".repeat(1001));
    assert.equal((await once(client, "close"))[0], 1009);
  });

  it("answers plain requests that it is for WebSockets", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: false });
    const response = await fetch(server.url);
    assert.equal(response.status, 426);
    assert.equal(await response.text(), "This is a WebSocket server\n");
  });

  it("accepts any page's origin", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: false });
    const client = new WebSocket(server.url, { origin: "https://page.example" });
    await once(client, "open");
    client.terminate();
  });
});
