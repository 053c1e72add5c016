import assert from "node:assert/strict";
import dns from "node:dns";
import { getEventListeners } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, it, mock } from "node:test";
import { WebSocketServer } from "ws";
import { connect, type ConnectOptions } from "../../src/client/index.ts";
import { basic } from "../../src/client/url.ts";
import type { ServalError } from "../../src/core/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import type { Stream } from "../../src/websocket/index.ts";
import { isStuck, turns, until } from "../core/support/stream-operations.ts";
import { withPath } from "../net/support/sockets.ts";
import { converse, failure, trusting } from "./support/kit.ts";
import { localhost } from "../support/localhost.ts";
import { listening, type Listening } from "../support/listening.ts";
import { answering, echoing, mute, proxying, type Answer } from "./support/servers.ts";

/** Each step of an attempt that can last, with a server that lets it. */
const steps: Readonly<Record<string, (place: Listening, options: ConnectOptions) => Promise<Stream>>> = {
  "the handshake": ({ port }, options) => connect(`ws://127.0.0.1:${port}/secret`, options),
  "the TLS handshake": ({ port }, options) => connect(`wss://127.0.0.1:${port}/secret`, options),
  "the proxy": ({ port }, options) =>
    connect("ws://example.com/secret", { ...options, proxy: `http://user:secret@127.0.0.1:${port}` }),
  "the proxy's TLS handshake": ({ port }, options) =>
    connect("ws://example.com/secret", { ...options, proxy: `https://user:secret@127.0.0.1:${port}` }),
  "the SOCKS proxy": ({ port }, options) =>
    connect("ws://example.com/secret", { ...options, proxy: `socks5h://user:secret@127.0.0.1:${port}` }),
};

describe("an attempt, aborted", () => {
  for (const [name, start] of Object.entries(steps)) {
    it(`by its deadline, in ${name}`, async () => {
      await using place = await mute();
      const clock = new VirtualClock();
      const attempt = start(place, { clock });
      attempt.catch(() => {});
      await until(() => place.connections === 1);
      await clock.advance(29_999);
      assert.ok(await isStuck(attempt));
      await clock.advance(1);
      const error = await failure(attempt);
      assert.deepEqual([error.code, error.condition], ["core.timeout", "timeout"]);
      assert.match(error.message, /^Connecting to (127\.0\.0\.1|example\.com):\d+ took longer than 30000 ms$/);
      assert.equal(clock.pending, 0);
      await until(() => place.connections === 0);
    });

    it(`by a signal, in ${name}`, async () => {
      await using place = await mute();
      const clock = new VirtualClock();
      const controller = new AbortController();
      const attempt = start(place, { clock, signal: controller.signal, timeouts: { handshake: Infinity } });
      attempt.catch(() => {});
      await until(() => place.connections === 1);
      await turns();
      const reason = new Error("enough");
      controller.abort(reason);
      const error = await failure(attempt);
      assert.deepEqual([error.code, error.cause], ["core.aborted", reason]);
      assert.equal(clock.pending, 0);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
      await until(() => place.connections === 0);
    });
  }

  it("while it looks up the host, and before", async (test) => {
    // As for a name server that answers nothing.
    const original = mock.method(dns, "lookup", () => {});
    test.after(() => original.mock.restore());
    for (const url of ["ws://slow.example/", "wss://slow.example/"]) {
      const clock = new VirtualClock();
      const late = connect(url, { clock, timeouts: { handshake: 5000 } });
      late.catch(() => {});
      await clock.advance(5000);
      assert.equal((await failure(late)).code, "core.timeout");
      assert.equal(clock.pending, 0);
      const controller = new AbortController();
      const aborted = connect(url, { clock, signal: controller.signal });
      await turns(1);
      controller.abort();
      assert.equal((await failure(aborted)).code, "core.aborted");
      assert.equal((await failure(connect(url, { clock, signal: controller.signal }))).code, "core.aborted");
      assert.equal(clock.pending, 0);
    }
    assert.equal(original.mock.callCount(), 4);
  });

  it("is not affected by the signal once it is open, and keeps no timer or listener", async () => {
    await using server = await echoing();
    const clock = new VirtualClock();
    const controller = new AbortController();
    const ws = await connect(`ws://127.0.0.1:${server.port}/`, { clock, signal: controller.signal });
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    controller.abort();
    ws.send("still here");
    assert.equal(await ws.read(), "still here");
    await ws.close();
  });
});

describe("an attempt that succeeded", () => {
  it("has the request that was sent and the response, the same objects each time", async () => {
    await using server = await echoing();
    const ws = await connect(`ws://127.0.0.1:${server.port}/chat?room=1`, { headers: { "X-A": "b" } });
    assert.deepEqual(
      [ws.request!.method, ws.request!.target, ws.request!.headers.get("x-a")],
      ["GET", "/chat?room=1", "b"],
    );
    assert.deepEqual([ws.response!.status, ws.response!.headers.get("Upgrade")], [101, "websocket"]);
    assert.equal(ws.request, ws.request);
    assert.equal(ws.response, ws.response);
    await ws.close();
  });
});

describe("an attempt without TLS at a port that speaks it", () => {
  it("fails with advice", async () => {
    await using server = await echoing({ secure: true });
    const error = await failure(connect(`ws://127.0.0.1:${server.port}/`));
    assert.equal(error.code, "websocket.closed");
    assert.match(error.message, /before it answered the handshake: if its port speaks TLS, the URL begins with wss:$/);
  });
});

describe("an attempt, redirected", () => {
  const to =
    (location: string, status = 302) =>
    (): Answer => [status, { Location: location }, "moved"];

  it("does not follow by default", async () => {
    await using server = await answering(to("ws://127.0.0.1:1/"));
    const error = await failure(connect(`ws://127.0.0.1:${server.port}/`));
    assert.equal(error.code, "websocket.upgrade_declined");
    assert.match(error.message, /302.*; the option redirects follows it, as in \{ redirects: 5 \}$/);
    assert.equal(error.response?.headers.get("Location"), "ws://127.0.0.1:1/");
  });

  for (const status of [301, 302, 303, 307, 308]) {
    it(`follows ${status}, and takes no secrets along`, async () => {
      await using goal = await echoing();
      await using server = await answering(to(`http://127.0.0.1:${goal.port}/there?x=1#part`, status));
      const ws = await connect(`ws://user:secret@127.0.0.1:${server.port}/here`, {
        redirects: { most: 1, crossOrigin: true },
        protocols: ["chat", "ticket.secret"],
        headers: { Cookie: "a=secret", Origin: "https://example.com", "X-Api-Key": "secret" },
        decorate: ({ headers }) => headers.set("X-Fresh-Token", "secret"),
      });
      await converse(ws);
      const first = server.asked[0]!.headers;
      assert.match(first.authorization!, /^Basic /);
      assert.deepEqual([first.cookie, first["x-api-key"], first["x-fresh-token"]], ["a=secret", "secret", "secret"]);
      assert.equal(first["sec-websocket-protocol"], "chat, ticket.secret");
      const { target, headers } = goal.asked[0]!;
      assert.equal(target, "/there?x=1");
      assert.deepEqual(Object.keys(headers).toSorted(), [
        "connection",
        "host",
        "origin",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
      ]);
      assert.equal(headers.host, `127.0.0.1:${goal.port}`);
      assert.equal(headers.origin, "https://example.com");
    });
  }

  for (const [name, body] of Object.entries({
    "without a length": "\r\nmoved",
    "whose length is never reached": "Content-Length: 50\r\n\r\nmoved",
    "whose chunks never end": "Transfer-Encoding: chunked\r\n\r\n5\r\nmoved\r\n",
  })) {
    it(`follows a redirect ${name} at once, though the server keeps the connection`, async () => {
      await using goal = await echoing();
      const found = `HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${goal.port}/\r\n${body}`;
      await using server = await listening(createServer((socket) => void socket.resume().write(found)));
      const clock = new VirtualClock();
      const redirects = { most: 1, crossOrigin: true };
      await converse(await connect(`ws://127.0.0.1:${server.port}/`, { clock, redirects }));
      await until(() => server.connections === 0);
    });

    it(`fails for a refusal ${name} within a second, though the server keeps the connection`, async () => {
      await using server = await listening(
        createServer((socket) => void socket.resume().write(`HTTP/1.1 401 Unauthorized\r\n${body}`)),
      );
      const clock = new VirtualClock();
      const attempt = connect(`ws://127.0.0.1:${server.port}/`, { clock });
      attempt.catch(() => {});
      await until(() => clock.pending === 2);
      await clock.advance(1000);
      const error = await failure(attempt);
      assert.deepEqual([error.code, error.response?.status], ["websocket.upgrade_declined", 401]);
      assert.equal(clock.pending, 0);
      await until(() => server.connections === 0);
    });
  }

  it("does not go to another origin unless the option says so", async () => {
    await using goal = await echoing();
    await using server = await answering(to(`http://127.0.0.1:${goal.port}/there?ticket=secret`));
    const url = `ws://user:secret@127.0.0.1:${server.port}/here`;
    for (const redirects of [5, { most: 5 }, { most: 5, crossOrigin: false }]) {
      const error = await failure(connect(url, { redirects, protocols: "ticket.secret" }));
      assert.deepEqual([error.code, error.condition], ["client.cross_origin_redirect", "handshake_failed"]);
      assert.equal(error.response?.status, 302);
      assert.match(error.message, new RegExp(`another origin, 127\\.0\\.0\\.1:${goal.port}: .*crossOrigin: true`));
    }
    assert.equal(goal.accepted, 0);
  });

  it("shows another origin no client certificate", async () => {
    const shown: (string | undefined)[] = [];
    const asking = async (location: string | undefined): Promise<Listening> =>
      listening(
        createTlsServer({ ...localhost, requestCert: true, rejectUnauthorized: false }, (socket) => {
          shown.push(socket.getPeerCertificate().subject?.CN as string | undefined);
          socket.resume();
          socket.end(
            location === undefined
              ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
              : `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
          );
        }),
      );
    await using goal = await asking(undefined);
    await using server = await asking(`wss://localhost:${goal.port}/`);
    const error = await failure(
      connect(`wss://localhost:${server.port}/`, {
        tls: { ca: localhost.cert, ...localhost },
        redirects: { most: 1, crossOrigin: true },
      }),
    );
    assert.equal(error.response?.status, 404);
    assert.deepEqual(shown, ["localhost", undefined]);
  });

  it("takes no secrets to another origin through a proxy, which gets its own each time", async () => {
    await using goal = await echoing();
    await using server = await answering(to(`ws://127.0.0.1:${goal.port}/`));
    await using proxy = await proxying();
    const ws = await connect(`ws://user:secret@127.0.0.1:${server.port}/`, {
      proxy: `http://ada:opensesame@127.0.0.1:${proxy.port}`,
      protocols: "ticket.secret",
      redirects: { most: 1, crossOrigin: true },
    });
    await converse(ws);
    assert.deepEqual(
      proxy.asked.map(({ target, headers }) => [target, headers["proxy-authorization"]]),
      [server, goal].map(({ port }) => [`127.0.0.1:${port}`, basic({ user: "ada", password: "opensesame" })]),
    );
    const { headers } = goal.asked[0]!;
    assert.deepEqual(
      [headers.authorization, headers["proxy-authorization"], headers["sec-websocket-protocol"]],
      [undefined, undefined, undefined],
    );
  });

  it("does not go to another origin by connect.forever either", async () => {
    await using goal = await echoing();
    await using server = await answering(to(`ws://127.0.0.1:${goal.port}/`));
    const streams = connect.forever(`ws://127.0.0.1:${server.port}/`, { redirects: 5, retry: () => false });
    await assert.rejects(streams.next(), { code: "client.cross_origin_redirect" });
    assert.equal(goal.accepted, 0);
  });

  it("follows to TLS, but never from TLS to plain", async () => {
    await using secure = await echoing({ secure: true });
    await using up = await answering(to(`wss://localhost:${secure.port}/`));
    const redirects = { most: 1, crossOrigin: true };
    await converse(await connect(`ws://127.0.0.1:${up.port}/`, { ...trusting, redirects }));
    await using plain = await echoing();
    await using down = await answering(to(`ws://localhost:${plain.port}/`), { secure: true });
    const error = await failure(connect(`wss://localhost:${down.port}/`, { ...trusting, redirects }));
    assert.equal(error.code, "client.insecure_redirect");
    assert.equal(plain.accepted, 0);
  });

  it("follows as often as the option allows, and no further", async () => {
    await using server = await answering(({ target }) => [302, { Location: `/${Number(target.slice(1)) + 1}` }]);
    const url = `ws://user:secret@127.0.0.1:${server.port}/0`;
    const error = await failure(connect(url, { redirects: 3 }));
    assert.deepEqual([error.code, error.condition], ["client.too_many_redirects", "limit"]);
    assert.equal(error.response?.headers.get("Location"), "/4");
    assert.equal((error.cause as ServalError).code, "websocket.upgrade_declined");
    assert.deepEqual(
      server.asked.map(({ target }) => target),
      ["/0", "/1", "/2", "/3"],
    );
    // Within the origin, it is still the same user.
    assert.ok(server.asked.every(({ headers }) => headers.authorization !== undefined));
  });

  it("decorates each request within the origin", async () => {
    await using server = await answering(({ target }) => (target === "/" ? [302, { location: "/there" }] : [404]));
    const targets: string[] = [];
    const attempt = connect(`ws://127.0.0.1:${server.port}/`, {
      redirects: 1,
      decorate({ headers, target }) {
        targets.push(target);
        headers.set("X-Attempt", String(targets.length));
      },
    });
    assert.equal((await failure(attempt)).response?.status, 404);
    assert.deepEqual(targets, ["/", "/there"]);
    assert.deepEqual(
      server.asked.map(({ headers }) => headers["x-attempt"]),
      ["1", "2"],
    );
  });

  it("follows over a Unix socket to another path of it", () =>
    withPath(async (path) => {
      const server = createHttpServer((_request, response) => {
        response.writeHead(302, { Connection: "close", Location: "/there" }).end();
      });
      const sockets = new WebSocketServer({ noServer: true });
      sockets.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
      server.on("upgrade", (request, socket, head) => {
        if (request.url === "/there")
          sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws));
        else socket.end("HTTP/1.1 302 Found\r\nLocation: /there\r\nConnection: close\r\n\r\n");
      });
      await new Promise<void>((resolve) => void server.listen(path, resolve));
      await converse(await connect(`ws+unix:${path}:/here`, { redirects: 1 }));
      server.close();
    }));

  it("fails with the refusal of the last server, or with a redirect that has no Location", async () => {
    await using goal = await answering(() => [404]);
    await using server = await answering(to(`ws://127.0.0.1:${goal.port}/`));
    const redirects = { most: 5, crossOrigin: true };
    assert.equal((await failure(connect(`ws://127.0.0.1:${server.port}/`, { redirects }))).response?.status, 404);
    await using lost = await answering(() => [302]);
    const error = await failure(connect(`ws://127.0.0.1:${lost.port}/`, { redirects: 5 }));
    assert.deepEqual([error.code, error.response?.status], ["websocket.upgrade_declined", 302]);
  });

  it("does not follow a proxy's redirect", async () => {
    await using goal = await echoing();
    // Not by node:http, which keeps CONNECT to itself.
    const found = `HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${goal.port}/\r\nContent-Length: 0\r\n\r\n`;
    await using proxy = await listening(createServer((socket) => void socket.resume().write(found)));
    const error = await failure(
      connect("ws://example.com/", { proxy: `http://127.0.0.1:${proxy.port}`, redirects: 5 }),
    );
    assert.equal(error.code, "client.proxy_refused");
    assert.equal(goal.accepted, 0);
  });

  it("has one deadline for all redirects", async () => {
    await using goal = await mute();
    await using server = await answering(to(`ws://127.0.0.1:${goal.port}/`));
    const clock = new VirtualClock();
    const attempt = connect(`ws://127.0.0.1:${server.port}/`, { clock, redirects: { most: 1, crossOrigin: true } });
    attempt.catch(() => {});
    await clock.advance(20_000);
    await until(() => goal.connections === 1);
    await clock.advance(9_999);
    assert.ok(await isStuck(attempt));
    await clock.advance(1);
    const error = await failure(attempt);
    assert.equal(error.code, "core.timeout");
    assert.match(error.message, new RegExp(`Connecting to 127\\.0\\.0\\.1:${server.port} `));
    assert.equal(clock.pending, 0);
  });
});
