import assert from "node:assert/strict";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, it } from "node:test";
import { connect, type ConnectOptions } from "../../src/client/index.ts";
import { lowestLayer } from "../../src/core/index.ts";
import { HandleStream } from "../../src/net/sockets/handle-stream.ts";
import { NodeSocketStream } from "../../src/net/sockets/node-socket-stream.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { serve } from "../../src/server/index.ts";
import { localhost } from "../support/localhost.ts";
import { turns } from "../core/support/stream-operations.ts";
import { withPath } from "../net/support/sockets.ts";
import { converse, failure, trusting } from "./support/kit.ts";
import { listening } from "../support/listening.ts";
import { answering, echoing, mute, proxying } from "./support/servers.ts";

// A look at borrowed bytes that comes too late shows.
scrubReads(true);

describe("connect", () => {
  it("talks to serve, and to ws, by name and by address", async () => {
    await using server = await serve({ host: "127.0.0.1", message: (ws, message) => ws.write(message) });
    await converse(await connect(`ws://localhost:${server.port}/`));
    await converse(await connect(new URL(`http://127.0.0.1:${server.port}/`)));
    await using other = await echoing();
    const ws = await connect(`ws://127.0.0.1:${other.port}/chat?room=1`);
    assert.deepEqual(ws.peer, { address: "127.0.0.1", port: other.port, family: "IPv4" });
    assert.equal(other.asked[0]?.target, "/chat?room=1");
    assert.equal(other.asked[0].headers.host, `127.0.0.1:${other.port}`);
    await converse(ws);
  });

  it("talks to an IPv6 address, and uses only the family given", async (test) => {
    const server = await echoing({ host: "::1" }).catch((error: Error) => {
      test.skip(`no IPv6 here: ${error.message}`);
      return undefined;
    });
    if (server === undefined) return;
    await using place = server;
    await converse(await connect(`ws://[::1]:${place.port}/`));
    assert.equal(place.asked[0]?.headers.host, `[::1]:${place.port}`);
    // It listens there on IPv6 alone.
    const error = await failure(connect(`ws://localhost:${place.port}/`, { family: 4 }));
    assert.equal(error.code, "net.connection_refused");
  });

  it("is driven by a handle or a socket, as the option transport says, also through a proxy", async () => {
    await using server = await echoing();
    await using proxy = await proxying();
    const url = `ws://127.0.0.1:${server.port}/`;
    for (const options of [{}, { proxy: `http://127.0.0.1:${proxy.port}` }]) {
      for (const [transport, kind] of [
        ["handle", HandleStream],
        ["socket", NodeSocketStream],
      ] as const) {
        const ws = await connect(url, { ...options, transport });
        assert.ok(lowestLayer(ws.nextLayer) instanceof kind);
        await converse(ws);
      }
    }
  });

  it("talks over TLS, by name and by address", async () => {
    await using server = await echoing({ secure: true });
    for (const host of ["localhost", "127.0.0.1"]) {
      await converse(await connect(`wss://${host}:${server.port}/`, trusting));
    }
    await converse(await connect(`https://localhost:${server.port}/`, { tls: { rejectUnauthorized: false } }));
    const error = await failure(connect(`wss://localhost:${server.port}/secret`));
    assert.equal(error.code, "net.bad_certificate");
    assert.match(error.message, /localhost:\d+/);
    const other = await failure(
      connect(`wss://localhost:${server.port}/`, { tls: { ...trusting.tls, servername: "other.example" } }),
    );
    assert.equal(other.code, "net.bad_certificate");
  });

  it("offers only HTTP/1.1 to a TLS server", async () => {
    const protocols: unknown[] = [];
    await using server = await listening(
      createTlsServer({ ...localhost, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
        protocols.push(socket.alpnProtocol);
        socket.resume().end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      }),
    );
    await failure(connect(`wss://localhost:${server.port}/`, trusting));
    assert.deepEqual(protocols, ["http/1.1"]);
  });

  it("talks over a Unix socket", () =>
    withPath(async (path) => {
      const asked: string[] = [];
      await using _server = await serve({
        unix: path,
        upgrade: ({ target, headers }) => void asked.push(`${target} ${headers.get("Host")}`),
        message: (ws, message) => ws.write(message),
      });
      await converse(await connect(`ws+unix:${path}:/chat?room=1`));
      await converse(await connect(`ws+unix:${path}`));
      assert.deepEqual(asked, ["/chat?room=1 localhost", "/ localhost"]);
      const error = await failure(connect(`ws+unix:${path}-not:/secret`));
      assert.equal(error.code, "net.connection_refused");
    }));

  it("talks to the URL of a server, with and without TLS, also over a Unix socket, and with a target after it", () =>
    withPath(async (path) => {
      const targets: string[] = [];
      for (const tls of [undefined, localhost]) {
        for (const place of [{ host: "127.0.0.1" }, { unix: `${path} a:b?c#d%ü` }]) {
          await using server = await serve({
            ...place,
            tls,
            upgrade: ({ target }) => void targets.push(target),
            message: (ws, message) => ws.write(message),
          });
          await converse(await connect(server.url, trusting));
          await converse(await connect(`${server.url}/chat?room=1`, trusting));
        }
      }
      assert.deepEqual(targets, Array.from({ length: 4 }, () => ["/", "/chat?room=1"]).flat());
    }));

  it("asks for another Host, to which the certificate has to belong, unless tls.servername says otherwise", () =>
    withPath(async (path) => {
      await using plain = await echoing();
      await converse(await connect(`ws://127.0.0.1:${plain.port}/`, { host: "app.example:8080" }));
      assert.equal(plain.asked[0]?.headers.host, "app.example:8080");
      await using server = await echoing({ secure: true });
      const url = `wss://127.0.0.1:${server.port}/`;
      await converse(await connect(url, { ...trusting, host: "localhost" }));
      assert.deepEqual([server.asked[0]?.headers.host, server.asked[0]?.serverName], ["localhost", "localhost"]);
      const wrong = await failure(connect(url, { ...trusting, host: "app.example" }));
      assert.equal(wrong.code, "net.bad_certificate");
      const tls = { ca: localhost.cert, servername: "localhost" };
      await converse(await connect(url, { tls, host: "app.example" }));
      assert.deepEqual([server.asked[1]?.headers.host, server.asked[1]?.serverName], ["app.example", "localhost"]);
      // An address is no name for TLS, but the certificate must be for it.
      await converse(await connect(`wss://localhost:${server.port}/`, { ...trusting, host: "127.0.0.1" }));
      assert.deepEqual([server.asked[2]?.headers.host, server.asked[2]?.serverName], ["127.0.0.1", false]);

      await using proxy = await proxying();
      const through = `http://127.0.0.1:${proxy.port}`;
      await converse(await connect(url, { ...trusting, host: "localhost:8443", proxy: through }));
      assert.equal(proxy.asked[0]?.target, `127.0.0.1:${server.port}`);
      assert.deepEqual([server.asked[3]?.headers.host, server.asked[3]?.serverName], ["localhost:8443", "localhost"]);

      const hosts: (string | undefined)[] = [];
      await using socket = await serve({
        unix: path,
        tls: localhost,
        upgrade: ({ headers }) => void hosts.push(headers.get("Host")),
        message: (ws, message) => ws.write(message),
      });
      await converse(await connect(socket.url, { tls, host: "app.example" }));
      await converse(await connect(socket.url, trusting));
      assert.deepEqual(hosts, ["app.example", "localhost"]);
      const streams = connect.forever(socket.url, { tls, host: "app.example" });
      assert.equal((await streams.next()).value?.request?.headers.get("Host"), "app.example");
      await streams.return();
    }));

  it("refuses the path of a Unix socket that the system would cut off", async () => {
    const path = `/tmp/${"ü".repeat(52)}`;
    const error = await failure(connect(`ws+unix:${path}:/`));
    assert.deepEqual([error.code, error.condition], ["net.path_too_long", "misuse"]);
    await assert.rejects(connect.forever(`ws+unix:${path}`).next(), { code: "net.path_too_long" });
  });

  it("offers subprotocols, and adds headers", async () => {
    await using server = await serve({ host: "127.0.0.1", origins: "*", upgrade: () => ({ protocol: "b" }) });
    const ws = await connect(`ws://127.0.0.1:${server.port}/`, {
      protocols: ["a", "b"],
      headers: [
        ["Origin", "https://example.com"],
        ["X-Twice", "1"],
        ["X-Twice", "2"],
      ],
    });
    assert.equal(ws.protocol, "b");
    assert.equal(ws.request?.headers.get("Origin"), "https://example.com");
    assert.equal(ws.request.headers.get("X-Twice"), "1, 2");
    await ws.close();
    const one = await connect(`ws://127.0.0.1:${server.port}/`, { protocols: "b" });
    assert.equal(one.request?.headers.get("Sec-WebSocket-Protocol"), "b");
    await one.close();
  });

  it("makes Authorization from the URL's user and password, unless it is given", async () => {
    await using server = await echoing();
    const url = `ws://ada:open%20sesame@127.0.0.1:${server.port}/chat`;
    await (await connect(url)).close();
    const other = await connect(url, { headers: { authorization: "Bearer token" } });
    assert.equal(other.request?.headers.count("Authorization"), 1);
    await other.close();
    const [first, second] = server.asked;
    assert.equal(first?.headers.authorization, `Basic ${Buffer.from("ada:open sesame").toString("base64")}`);
    assert.equal(first.headers.host, `127.0.0.1:${server.port}`);
    assert.equal(first.target, "/chat");
    assert.equal(second?.headers.authorization, "Bearer token");
  });

  it("passes its options on to the stream, and messages to its handlers", async () => {
    await using server = await serve({ host: "127.0.0.1", open: (ws) => ws.send("welcome") });
    const messages: unknown[] = [];
    const closed = new Promise((resolve) => {
      void connect(`ws://127.0.0.1:${server.port}/`, {
        text: "bytes",
        message: (ws, message) => {
          messages.push(message);
          void ws.close({ code: 4000, reason: "enough" });
        },
        close: (_ws, info) => resolve(info),
      });
    });
    assert.deepEqual(await closed, { code: 4000, reason: "", clean: true });
    assert.deepEqual(messages, [new TextEncoder().encode("welcome")]);
  });

  it("takes a response with 2,000 headers, or as many as maxHeadersCount says", async () => {
    const answer = (count: number): string =>
      `HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n${"a:\r\n".repeat(count - 1)}\r\n`;
    for (const [options, count, code] of [
      [{}, 2000, "websocket.upgrade_declined"],
      [{}, 2001, "http.field_limit"],
      [{ maxHeadersCount: 3 }, 3, "websocket.upgrade_declined"],
      [{ maxHeadersCount: 3 }, 4, "http.field_limit"],
      [{ maxHeadersCount: Infinity }, 4000, "websocket.upgrade_declined"],
    ] as const) {
      await using server = await listening(createServer((socket) => void socket.resume().end(answer(count))));
      const error = await failure(connect(`ws://127.0.0.1:${server.port}/`, options));
      assert.equal(error.code, code);
      if (code === "http.field_limit") assert.match(error.message, /: maxHeadersCount is (2000|3)$/);
    }
  });

  it("gets a plain answer to its default offer of compression from servers that decline the first", async () => {
    await using server = await echoing({ perMessageDeflate: { serverNoContextTakeover: false, threshold: 0 } });
    const ws = await connect(`ws://127.0.0.1:${server.port}/`, { deflate: true });
    assert.equal(ws.response?.headers.get("Sec-WebSocket-Extensions"), "permessage-deflate");
    const text = "a text that is sent again and again. ".repeat(50);
    for (let i = 0; i < 3; i++) {
      ws.send(text);
      assert.equal(await ws.read(), text);
    }
    const { compressionSent = 1, compressionReceived = 1 } = ws.stats();
    assert.ok(compressionSent < 0.1 && compressionReceived < 0.1, `${compressionSent}, ${compressionReceived}`);
    await ws.close();
    const strict = { deflate: { serverNoContextTakeover: true } };
    // `ws` refuses a client none of whose offers it takes.
    const error = await failure(connect(`ws://127.0.0.1:${server.port}/`, strict));
    assert.equal(error.response?.status, 400);
  });

  it("fails with the server's refusal", async () => {
    await using server = await answering(() => [401, { "WWW-Authenticate": "Basic" }, "who are you?"]);
    const error = await failure(connect(`ws://user:secret@127.0.0.1:${server.port}/secret`));
    assert.deepEqual([error.code, error.condition], ["websocket.upgrade_declined", "handshake_failed"]);
    assert.equal(error.response?.status, 401);
    assert.equal(error.response.headers.get("www-authenticate"), "Basic");
    assert.equal(String(Buffer.from(error.response.body)), "who are you?");
  });

  it("rejects misuse before it touches the network", async () => {
    await using server = await mute();
    const url = `ws://127.0.0.1:${server.port}/`;
    const cases: readonly [url: string, options: unknown, code: string][] = [
      ["127.0.0.1", {}, "client.bad_url"],
      [`${url}#part`, {}, "client.bad_url"],
      [url, { proxy: "proxy.example" }, "client.bad_proxy"],
      [url, { tsl: {} }, "core.invalid_argument"],
      [url, 5, "core.invalid_argument"],
    ];
    for (const [where, options, code] of cases) {
      const error = await failure(connect(where, options as ConnectOptions));
      assert.deepEqual([error.code, error.condition], [code, "misuse"]);
    }
    assert.equal(server.accepted, 0);
  });

  it("closes the connection after misuse that the handshake found", async () => {
    await using server = await mute();
    for (const options of [{ protocols: "no token" }, { headers: { Host: "example.com" } }]) {
      const error = await failure(connect(`ws://127.0.0.1:${server.port}/`, options));
      assert.equal(error.code, "core.invalid_argument");
    }
  });

  it("leaves no unhandled rejection if nobody awaits it", async () => {
    void connect("nonsense");
    void connect("ws+unix:/nowhere/at/all");
    await turns();
  });
});
