import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import * as tls from "node:tls";
import { WebSocket } from "ws";
import { handBack } from "../../src/server/hand-back.ts";
import { mount } from "../../src/server/index.ts";
import { localhost } from "../support/localhost.ts";

/** Answers with what it was asked, and the body. */
async function answer(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
): Promise<void> {
  const { method, url } = request;
  response.end(JSON.stringify({ method, url, body: await text(request) }));
}

const servers = {
  "node:http": () => http.createServer(answer),
  "node:https": () => https.createServer(localhost, answer),
  "node:http2 with allowHTTP1": () => http2.createSecureServer({ ...localhost, allowHTTP1: true }, answer),
};

const h2c = (request: string, headers = ""): string =>
  `${request} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n${headers}\r\n`;

for (const [name, create] of Object.entries(servers)) {
  test(`${name} answers requests that offer HTTP/2, as if nothing were mounted`, async (t) => {
    const server = create().listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const chat = mount(server, { path: "/chat", message: (ws, message) => ws.write(message) });
    const { port } = server.address() as net.AddressInfo;
    const connect = (): net.Socket =>
      name === "node:http"
        ? net.connect(port, "127.0.0.1")
        : tls.connect({ port, host: "127.0.0.1", ca: localhost.cert, ALPNProtocols: ["http/1.1"] });

    // Two of them on one connection, and the body of the second in two parts.
    const socket = connect();
    socket.setEncoding("latin1");
    socket.write(h2c("GET /chat?x=%E9"));
    let said = "";
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
      said += chunk;
      if (said.endsWith("}")) break;
    }
    assert.match(said, /^HTTP\/1\.1 200 OK\r\n/);
    assert.deepEqual(JSON.parse(said.slice(said.indexOf("{"))), { method: "GET", url: "/chat?x=%E9", body: "" });
    socket.write(h2c("POST /form", "Content-Length: 8\r\nConnection: close\r\n") + "half");
    socket.write("half");
    said = await text(socket);
    const second = { method: "POST", url: "/form", body: "halfhalf" };
    assert.deepEqual(JSON.parse(said.slice(said.indexOf("{"))), second);

    const ws = new WebSocket(`ws${name === "node:http" ? "" : "s"}://127.0.0.1:${port}/chat`, { ca: localhost.cert });
    await once(ws, "open");
    ws.send("hello");
    assert.equal(String(((await once(ws, "message")) as [Buffer])[0]), "hello");
    assert.deepEqual([chat.stats().accepted, chat.stats().requests], [1, 0]);
    const ended = once(ws, "close");
    await chat.drain();
    await ended;
  });
}

test("an offer is left to other listeners for upgrades", async (t) => {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const chat = mount(server, { path: "/chat" });
  server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  socket.write(h2c("GET /"));
  assert.match(await text(socket), /^HTTP\/1\.1 101 /);
  await chat.close();
});

test("a request with headers that can't be passed on is refused, as is one of a server that takes none back", () => {
  const said: string[] = [];
  const socket = { unshift: (bytes: Uint8Array) => void said.push(String(bytes)) } as unknown as Duplex;
  const incoming = { method: "GET", url: "/", httpVersion: "1.1", rawHeaders: ["Host", "a", "Upgrade", "h2c"] };
  const request = (rawHeaders: string[]): http.IncomingMessage =>
    ({ ...incoming, rawHeaders }) as unknown as http.IncomingMessage;
  const emit = (): boolean => true;
  assert.equal(handBack({ emit }, request(["Host", "a\r\nX: y"]), socket, Buffer.of()), false);
  assert.equal(handBack({}, request(incoming.rawHeaders), socket, Buffer.of()), false);
  assert.equal(
    handBack({ emit, shouldUpgradeCallback: emit }, request(incoming.rawHeaders), socket, Buffer.of()),
    false,
  );
  assert.deepEqual(said, []);
  const connection = ["Connection", "keep-alive, Upgrade"];
  assert.equal(handBack({ emit }, request([...incoming.rawHeaders, ...connection]), socket, Buffer.from("rest")), true);
  assert.deepEqual(said, ["GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\nrest"]);
});
