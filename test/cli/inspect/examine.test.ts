import assert from "node:assert/strict";
import * as http from "node:http";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, it } from "node:test";
import type { ConnectOptions } from "../../../src/client/index.ts";
import { examine } from "../../../src/cli/inspect/examine.ts";
import type { Inspection } from "../../../src/cli/inspect/inspection.ts";
import { systemClock } from "../../../src/core/index.ts";
import { serve } from "../../../src/server/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { localhost } from "../../support/localhost.ts";
import { trusting } from "../../client/support/kit.ts";
import { listening, type Listening } from "../../support/listening.ts";
import { answering, echoing, mute, unresponsive } from "../../client/support/servers.ts";
import { until } from "../../core/support/stream-operations.ts";

function look(url: string, options: ConnectOptions = {}): Promise<Inspection> {
  return examine({ url, options: { ...options, timeouts: { handshake: 10_000 } } }, systemClock);
}

/** What a server of ours that answers so is found to be. */
async function answers(text: string, options: ConnectOptions = {}): Promise<Inspection> {
  await using server = await raw((socket) => void socket.once("data", () => socket.end(text)));
  return await look(`ws://127.0.0.1:${server.port}/`, options);
}

function raw(connected: (socket: Socket) => void): Promise<Listening> {
  return listening(createServer(connected));
}

describe("examine", () => {
  it("reports a plain opening: addresses, bytes, what was negotiated, pings, the close", async () => {
    await using server = await serve({
      port: 0,
      host: "127.0.0.1",
      deflate: true,
      open: (ws) => ws.send("hi"),
      message() {},
    });
    const port = new URL(server.url).port;
    const found = await look(`ws://localhost:${port}/a?b`, { deflate: true, headers: { "x-ODD": "é" } });
    assert.equal(found.failure, undefined);
    assert.equal(found.opened, true);
    assert.ok(found.dns!.addresses.includes("127.0.0.1"));
    assert.equal(found.tcp!.address, `127.0.0.1:${port}`);
    assert.equal(found.tls, undefined);
    const { request, response, extensions, protocol } = found.handshake!;
    assert.match(
      request,
      new RegExp(`^GET /a\\?b HTTP/1\\.1\r\nHost: localhost:${port}\r\n.*\r\nx-ODD: é\r\n\r\n$`, "s"),
    );
    assert.match(response, /^HTTP\/1\.1 101 Switching Protocols\r\n.*\r\n\r\n$/s);
    assert.match(extensions, /^permessage-deflate/);
    assert.equal(protocol, "");
    assert.equal(found.ping!.times.length, 5);
    assert.equal(found.ping!.max, Math.max(...found.ping!.times));
    assert.deepEqual({ ...found.close, ms: 0 }, { ms: 0, code: 1000, reason: "", clean: true });
    assert.equal(found.messages, 1);
    assert.match(found.verdict, /^All is well/);
  });

  it("reports TLS and the server's certificate", async () => {
    await using server = await echoing({ secure: true });
    const found = await look(`wss://localhost:${server.port}/`, { ...trusting, protocols: ["chat"] });
    assert.equal(found.failure, undefined);
    const { version, cipher, alpn, trusted, certificate } = found.tls!;
    assert.deepEqual([version, alpn, trusted], ["TLSv1.3", "http/1.1", true]);
    assert.match(cipher!, /^TLS_\w+$/);
    assert.deepEqual(
      [certificate!.subject, certificate!.issuer, certificate!.names],
      ["CN=localhost", "CN=localhost", "DNS:localhost, IP Address:127.0.0.1"],
    );
    assert.equal(found.handshake!.protocol, "chat");
  });

  it("asks for another Host, to which the certificate has to belong, at the address of the URL", async () => {
    const hosts: (string | undefined)[] = [];
    await using server = await serve({
      port: 0,
      host: "127.0.0.1",
      tls: localhost,
      upgrade: ({ headers }) => void hosts.push(headers.get("Host")),
      message() {},
    });
    const tls = { ca: localhost.cert };
    const found = await look(`wss://127.0.0.1:${server.port}/`, { tls, host: "localhost:1" });
    assert.deepEqual([found.opened, hosts], [true, ["localhost:1"]]);
    const other = await look(`wss://127.0.0.1:${server.port}/`, { tls, host: "app.example" });
    assert.deepEqual([other.opened, other.tls?.trusted, hosts.length], [false, false, 1]);
  });

  it("shows a certificate that is not accepted, and sends its server nothing", async () => {
    await using server = await echoing({ secure: true });
    const url = `wss://localhost:${server.port}/`;
    const found = await look(url);
    assert.deepEqual([found.opened, found.failure!.step, found.failure!.code], [false, "tls", "net.bad_certificate"]);
    assert.deepEqual([found.tls!.trusted, found.tls!.reason], [false, "DEPTH_ZERO_SELF_SIGNED_CERT"]);
    assert.equal(found.handshake, undefined);
    assert.deepEqual(server.asked, []);
    const careless = await look(url, { tls: { rejectUnauthorized: false } });
    assert.deepEqual([careless.opened, careless.tls!.trusted], [true, false]);
  });

  it("reports a certificate of another host", async () => {
    await using server = await listening(
      createTlsServer(localhost, (socket) => void socket.end()),
      "127.0.0.2",
    );
    const found = await look(`wss://127.0.0.2:${server.port}/`, trusting);
    assert.equal(found.tls!.reason, "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.match(found.verdict, /for another host/);
  });

  it("distinguishes TLS from plain, either way round", async () => {
    await using secure = await echoing({ secure: true });
    const plainly = await look(`ws://127.0.0.1:${secure.port}/`);
    assert.equal(plainly.failure!.speaksTls, true);
    assert.match(plainly.verdict, /speaks TLS: use wss:/);
    await using plain = await echoing();
    const securely = await look(`wss://127.0.0.1:${plain.port}/`);
    assert.equal(securely.failure!.step, "tls");
    assert.match(securely.verdict, /does not speak TLS/);
  });

  it("reports a response that is no WebSocket's, whole", async () => {
    for (const [status, headers, words] of [
      [404, {}, /nothing at this path/],
      [200, {}, /an ordinary page/],
      [302, { Location: "/other" }, /elsewhere; try ws:\/\/127\.0\.0\.1:\d+\/other\./],
      [502, {}, /a proxy in front/],
    ] as const) {
      await using server = await answering(() => [status, headers, "<p>hello"]);
      const found = await look(`ws://127.0.0.1:${server.port}/`);
      assert.equal(found.failure!.response!.status, status);
      assert.match(found.handshake!.response, new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n\r\n[^]*<p>hello`));
      assert.match(found.verdict, words);
    }
  });

  it("reports a wrong 101", async () => {
    const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    const wrong = await answers(`${head}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`);
    assert.deepEqual([wrong.opened, wrong.failure!.code], [false, "websocket.bad_sec_accept"]);
    assert.match(wrong.verdict, /wrong Sec-WebSocket-Accept/);
  });

  it("shows bytes that are not HTTP", async () => {
    const found = await answers("SSH-2.0-OpenSSH_9\r\n");
    assert.equal(found.handshake!.response, "SSH-2.0-OpenSSH_9\r\n");
    assert.match(found.verdict, /no WebSocket server/);
  });

  it("reports that nothing listens", async () => {
    const gone = await mute();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    const found = await look(`ws://127.0.0.1:${port}/`);
    assert.deepEqual([found.failure!.step, found.failure!.code], ["tcp", "net.connection_refused"]);
    // RFC 6761 section 6.4: there is no such name.
    const nowhere = await look("ws://nobody.invalid/");
    assert.deepEqual([nowhere.failure!.step, nowhere.failure!.code], ["dns", "net.host_not_found"]);
  });

  it("waits no longer than the timeout for a server that sends nothing", async () => {
    const clock = new VirtualClock();
    await using server = await mute();
    const looking = examine(
      { url: `ws://127.0.0.1:${server.port}/`, options: { timeouts: { handshake: 700 } } },
      clock,
    );
    await until(() => server.connections === 1);
    // The handshake's timer in the place of the connection's; then that of another look, by TLS.
    await until(() => clock.pending === 1);
    const state = { isDone: false };
    void looking.then(() => (state.isDone = true));
    await until(
      () => state.isDone,
      () => clock.advance(700),
    );
    const found = await looking;
    assert.deepEqual([found.failure!.step, found.failure!.code], ["handshake", "core.timeout"]);
    assert.match(found.verdict, /sent nothing/);
    assert.equal(clock.pending, 0);
  });

  it("goes through an HTTP proxy, and shows its response", async () => {
    await using server = await echoing();
    const proxy = http.createServer();
    proxy.on("connect", (request, client) => {
      if (request.headers["proxy-authorization"] === undefined) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
      }
      const [host, port] = request.url!.split(":");
      const upstream = new (client.constructor as typeof Socket)().connect(Number(port), host!, () => {
        client.write("HTTP/1.1 200 Connected\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
      client.on("close", () => upstream.destroy());
    });
    await using via = await listening(proxy);
    const url = `ws://127.0.0.1:${server.port}/`;
    const found = await look(url, { proxy: `http://me:secret@127.0.0.1:${via.port}` });
    assert.equal(found.failure, undefined);
    assert.equal(found.proxy!.url, `http://me:***@127.0.0.1:${via.port}/`);
    assert.match(found.proxy!.request, new RegExp(`^CONNECT 127\\.0\\.0\\.1:${server.port} HTTP/1\\.1\r\n`));
    assert.equal(found.proxy!.response, "HTTP/1.1 200 Connected\r\n\r\n");
    const refused = await look(url, { proxy: `http://127.0.0.1:${via.port}` });
    assert.deepEqual([refused.failure!.step, refused.failure!.response!.status], ["proxy", 407]);
    assert.match(refused.verdict, /user and password/);
  });

  it("reports a server that closes at once", async () => {
    await using server = await serve({
      port: 0,
      host: "127.0.0.1",
      connection: (ws) => ws.close({ code: 1008, reason: "no" }),
    });
    const found = await look(server.url);
    assert.deepEqual([found.opened, found.failure!.step, found.close!.code], [true, "ping", 1008]);
    assert.match(found.verdict, /ended at once: .*1008.*no/);
  });

  for (const isLoud of [false, true]) {
    it(`ends against a server that sends no pongs${isLoud ? ", but messages all the time" : ""}`, async () => {
      await using server = await unresponsive({ isLoud });
      const clock = new VirtualClock();
      const url = `ws://127.0.0.1:${server.port}/`;
      let found: Inspection | undefined;
      const ended = examine({ url, options: { timeouts: { handshake: 10_000 } } }, clock).then((one) => (found = one));
      await until(
        () => found !== undefined,
        () => clock.advance(100),
      );
      await ended;
      assert.deepEqual([found!.opened, found!.failure!.step, found!.failure!.code], [true, "ping", "core.timeout"]);
      assert.equal(found!.close!.clean, false);
      assert.match(found!.verdict, /no pong came/);
      assert.equal(clock.pending, 0);
    });
  }

  it("throws only misuse", async () => {
    await using server = await echoing();
    await assert.rejects(look(`ws://127.0.0.1:${server.port}/`, { headers: { Upgrade: "x" } }), {
      code: "core.invalid_argument",
    });
  });
});
