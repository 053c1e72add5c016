import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import { loadPage } from "../../../src/cli/page/page.ts";
import { servePage } from "../../../src/cli/serve/serve-page.ts";
import type { Server } from "../../../src/server/index.ts";

describe("servePage", () => {
  let server: Server;
  before(async () => {
    server = await servePage({ port: 0, host: "127.0.0.1" }, { deflate: false });
  });
  after(() => server.close());

  it("serves the page at /, with its headers", async () => {
    const { body, headers } = loadPage();
    for (const path of ["/", "/?whatever"]) {
      const response = await fetch(server.url + path);
      assert.equal(response.status, 200);
      for (const [name, value] of Object.entries(headers)) assert.equal(response.headers.get(name), value);
      assert.equal(await response.text(), body);
    }
    const response = await fetch(server.url, { method: "HEAD" });
    assert.equal(response.headers.get("Content-Length"), String(Buffer.byteLength(body)));
    assert.equal(await response.text(), "");
  });

  it("answers every other plain request with what to do instead", async () => {
    for (const [path, method, status] of [
      ["/nope", "GET", 404],
      ["/page.html", "GET", 404],
      ["//", "GET", 404],
      ["/", "DELETE", 405],
      ["/echo", "GET", 426],
      ["/handshake", "GET", 404],
      ["/handshake?id=0123456789abcdef", "GET", 404],
      ["/stats", "GET", 404],
      ["/stats?id=0123456789abcdef", "GET", 404],
    ] as const) {
      const response = await fetch(server.url + path, { method });
      assert.equal(response.status, status, `${method} ${path}`);
      assert.equal(response.headers.get("Content-Type"), "text/plain; charset=utf-8");
      assert.match(await response.text(), /^.+\n$/);
      if (status === 405) assert.equal(response.headers.get("Allow"), "GET, HEAD");
      if (status === 426) assert.equal(response.headers.get("Upgrade"), "websocket");
    }
  });

  it("echoes at /echo, and reports the handshake, once", async () => {
    const id = "fedcba9876543210";
    const client = new WebSocket(`${server.url}/echo?id=${id}`, { headers: { "x-ODD-case": "kept" } });
    let accepted = "";
    client.on("upgrade", ({ rawHeaders }: IncomingMessage) => {
      const at = rawHeaders.indexOf("Sec-WebSocket-Accept");
      accepted = rawHeaders[at + 1]!;
    });
    await once(client, "open");
    client.send("hello");
    assert.equal(String((await once(client, "message"))[0]), "hello");
    client.terminate();

    const response = await fetch(`${server.url}/handshake?id=${id}`);
    assert.equal(response.headers.get("Cache-Control"), "no-store");
    const handshake = (await response.json()) as { request: string; response: string };
    assert.ok(handshake.request.startsWith(`GET /echo?id=${id} HTTP/1.1\r\n`));
    assert.ok(handshake.request.includes("\r\nx-ODD-case: kept\r\n"));
    assert.ok(handshake.request.endsWith("\r\n\r\n"));
    assert.equal(
      handshake.response,
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`,
    );
    assert.equal((await fetch(`${server.url}/handshake?id=${id}`)).status, 404);
  });

  it("chooses the first subprotocol offered", async () => {
    for (const [offered, chosen] of [
      [["chat.v2", "chat.v1"], "chat.v2"],
      [[], ""],
    ] as const) {
      const client = new WebSocket(`${server.url}/echo`, [...offered]);
      await once(client, "open");
      assert.equal(client.protocol, chosen);
      client.terminate();
    }
  });

  it("reports the traffic of an open connection, and pings it", async () => {
    const id = "00112233445566ff";
    const client = new WebSocket(`${server.url}/echo?id=${id}`);
    await once(client, "open");
    client.send("hello");
    await once(client, "message");
    const pinged = once(client, "ping");
    const response = await fetch(`${server.url}/stats?id=${id}`);
    assert.equal(response.headers.get("Cache-Control"), "no-store");
    const { messagesReceived, payloadSent, roundTripTime } = (await response.json()) as Record<string, number>;
    assert.deepEqual([messagesReceived, payloadSent, roundTripTime], [1, 5, undefined]);
    await pinged;
    // The echo comes behind the pong.
    client.send("again");
    await once(client, "message");
    const again = (await (await fetch(`${server.url}/stats?id=${id}`)).json()) as Record<string, number>;
    assert.ok(again["roundTripTime"]! > 0);

    client.close();
    await once(client, "close");
    assert.equal((await fetch(`${server.url}/stats?id=${id}`)).status, 404);
  });

  it("refuses upgrades elsewhere with 404", async () => {
    for (const path of ["/", "/echo/", "/Echo", "/handshake"]) {
      const client = new WebSocket(server.url + path);
      const [, response] = (await once(client, "unexpected-response")) as [unknown, IncomingMessage];
      assert.equal(response.statusCode, 404, path);
      client.on("error", () => {});
      client.terminate();
    }
  });
});
