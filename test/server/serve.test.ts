import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import type { ServalError } from "../../src/core/index.ts";
import { Response as HttpResponse, type Request } from "../../src/http/index.ts";
import { serve, type DrainReport, type FetchHandler, type ServeOptions, type Server } from "../../src/server/index.ts";
import type { Stream } from "../../src/websocket/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { requestBytes } from "../websocket/support/requests.ts";
import { until } from "../support/until.ts";
import { dial, serving, type Dialed } from "./support/sockets.ts";

const local = { port: 0, host: "127.0.0.1" };

async function using<Data>(options: ServeOptions<Data>, use: (server: Server) => Promise<void>): Promise<void> {
  const server = await serve<Data>({ ...local, ...options });
  try {
    await use(server);
  } finally {
    await server.close();
  }
  assert.equal(server.connections, 0);
}

async function open(server: Server, target = "/", protocols: string[] = []): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}${target}`, protocols);
  await once(ws, "open");
  return ws;
}

async function next(ws: WebSocket): Promise<string | Buffer> {
  const [data, isBinary] = (await once(ws, "message")) as [Buffer, boolean];
  return isBinary ? data : data.toString();
}

/** Sends bytes on a plain socket and returns all that comes back until the server ends. */
async function exchange(server: Server, bytes: string): Promise<string> {
  const socket = net.connect({ port: server.port!, host: "127.0.0.1" });
  socket.write(bytes);
  let answer = "";
  socket.on("data", (chunk) => (answer += String(chunk)));
  await once(socket, "close");
  return answer;
}

test("a server with handlers echoes text and binary", async () => {
  await using({ message: (ws, message) => void ws.send(message) }, async (server) => {
    const ws = await open(server);
    ws.send("héllo");
    assert.equal(await next(ws), "héllo");
    ws.send(Buffer.from([1, 2, 3]));
    assert.deepEqual(await next(ws), Buffer.from([1, 2, 3]));
    ws.close(4000, "done");
    const [code, reason] = (await once(ws, "close")) as [number, Buffer];
    assert.deepEqual([code, String(reason)], [4000, ""]);
  });
});

test("a server that reads echoes, and returning closes with 1000", async () => {
  const connection = async (ws: Stream): Promise<void> => {
    await ws.write(await ws.read());
  };
  await using({ connection }, async (server) => {
    const ws = await open(server);
    ws.send("once");
    assert.equal(await next(ws), "once");
    const [code] = (await once(ws, "close")) as [number];
    assert.equal(code, 1000);
  });
});

test("a connection that throws is closed with 1011, and reported once", async () => {
  const errors: ServalError[] = [];
  const failure = new Error("the application's own");
  const options: ServeOptions = {
    connection: async (ws) => {
      await ws.read();
      throw failure;
    },
    error: (_ws, error) => errors.push(error),
  };
  await using(options, async (server) => {
    const ws = await open(server);
    ws.send("x");
    const [code] = (await once(ws, "close")) as [number];
    assert.equal(code, 1011);
    assert.deepEqual(
      errors.map((error) => [error.code, error.cause]),
      [["websocket.handler_failed", failure]],
    );
  });
});

test("a peer that vanishes is no failure of the connection's handler", async () => {
  const errors: ServalError[] = [];
  let ended!: () => void;
  const over = new Promise<void>((resolve) => (ended = resolve));
  const options: ServeOptions = {
    connection: async (ws) => {
      for await (const message of ws) void message;
    },
    error: (_ws, error) => errors.push(error),
    close: () => ended(),
  };
  await using(options, async (server) => {
    const ws = await open(server);
    ws.terminate();
    await over;
    assert.deepEqual(
      errors.filter((error) => error.code === "websocket.handler_failed"),
      [],
    );
  });
});

test("a WebSocket's request is the one the client sent, and always the same object", async () => {
  const options: ServeOptions = {
    message: (ws) => {
      const { request } = ws;
      assert.equal(ws.request, request);
      return ws.send(`${request?.method} ${request?.target} ${request?.headers.get("x-from")}`);
    },
  };
  await using(options, async (server) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/room?x=1`, { headers: { "X-From": "caf\xe9" } });
    await once(ws, "open");
    ws.send("who");
    assert.equal(await next(ws), "GET /room?x=1 caf\xe9");
    ws.close();
    await once(ws, "close");
  });
});

test("upgrade chooses the subprotocol, adds headers and data, and gets the peer", async () => {
  const options: ServeOptions<{ user: string }> = {
    upgrade: (request, peer) => ({
      protocol: "chat",
      headers: { "X-Served-By": "serval" },
      data: { user: `${request.target} ${peer?.address}` },
    }),
    message: (ws) => ws.send(`${ws.data.user} ${ws.protocol} ${ws.request?.path}`),
  };
  await using(options, async (server) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/room?x=1`, ["other", "chat"]);
    const [[response]] = await Promise.all([once(ws, "upgrade"), once(ws, "open")]);
    assert.equal((response as { headers: Record<string, string> }).headers["x-served-by"], "serval");
    assert.equal(ws.protocol, "chat");
    ws.send("who");
    assert.equal(await next(ws), "/room?x=1 127.0.0.1 chat /room");
    ws.terminate();
  });
});

for (const [kind, refusal] of [
  ["our Response", (): HttpResponse => new HttpResponse({ status: 401, body: "who are you?" })],
  ["fetch's Response", (): Response => new Response("who are you?", { status: 401 })],
] as const) {
  test(`upgrade refuses with ${kind}`, async () => {
    await using({ upgrade: refusal }, async (server) => {
      const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`);
      const [, response] = (await once(ws, "unexpected-response")) as [
        unknown,
        NodeJS.ReadableStream & { statusCode: number },
      ];
      let body = "";
      for await (const chunk of response) body += String(chunk);
      assert.deepEqual([response.statusCode, body], [401, "who are you?"]);
    });
  });
}

test("a hook that fails is reported to error, or the console; a refusal is not", async (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const failure = new Error("the application's own");
  const hooks: readonly NonNullable<ServeOptions["upgrade"]>[] = [
    () => {
      throw failure;
    },
    () => ({ protocol: "not offered" }),
    () => ({ headers: { "X-A": "a\nb" } }),
    () => true as never,
  ];
  const refused = async (server: Server, headers: Record<string, string> = {}): Promise<void> => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers });
    const [, response] = (await once(ws, "unexpected-response")) as [unknown, { statusCode: number }];
    assert.equal(response.statusCode, 500);
  };
  for (const upgrade of hooks) {
    const errors: ServalError[] = [];
    await using({ upgrade }, (server) => refused(server));
    await using({ upgrade, error: (_ws, error) => errors.push(error) }, (server) => refused(server));
    assert.equal(errors.length, 1);
    assert.equal(reported.mock.callCount(), 1);
    assert.equal(reported.mock.calls[0]!.arguments[0], errors[0]!.cause ?? reported.mock.calls[0]!.arguments[0]);
    reported.mock.resetCalls();
  }
  await using({}, async (server) => {
    assert.match(await exchange(server, "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"), / 405 /);
  });
  assert.equal(reported.mock.callCount(), 0);
});

test("messages sent with the handshake wait for an async open", async () => {
  const seen: string[] = [];
  const options: ServeOptions = {
    open: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push("opened");
    },
    message: (ws, message) => {
      seen.push(String(message));
      ws.send("got it");
    },
  };
  await using(options, async (server) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    ws.on("open", () => ws.send("first"));
    await next(ws);
    assert.deepEqual(seen, ["opened", "first"]);
    ws.terminate();
  });
});

test("fetch answers plain requests, several on one connection", async () => {
  const options: ServeOptions = {
    fetch: (request) => new Response(`${request.method} ${request.url}`, { headers: { "X-A": "1" } }),
  };
  await using(options, async (server) => {
    const answer = await exchange(
      server,
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    const type = "content-type: text/plain;charset=UTF-8\r\nx-a: 1\r\n";
    assert.equal(
      answer.replaceAll(/Date: [^\r]* GMT\r\n/g, "Date\r\n"),
      `HTTP/1.1 200 OK\r\n${type}Content-Length: 14\r\nDate\r\n\r\nGET http://h/a` +
        `HTTP/1.1 200 OK\r\n${type}Content-Length: 15\r\nDate\r\n\r\n` +
        `HTTP/1.1 200 OK\r\n${type}Content-Length: 14\r\nConnection: close\r\nDate\r\n\r\nGET http://h/c`,
    );
    const response = await fetch(`${server.url}/d`);
    assert.equal(await response.text(), `GET ${server.url}/d`);
  });
});

for (const [what, request, status] of [
  ["a request without fetch", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "426 Upgrade Required"],
  ["garbage", "\x16\x03\x01\x02\x00", "400 Bad Request"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"],
  ["an expectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", "417 Expectation Failed"],
  ["another coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented"],
  ["an unknown version", "GET / HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported"],
  ["a head too large", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`, "431 Request Header Fields Too Large"],
  ["an upgrade by POST", "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", "405 Method Not Allowed"],
  [
    "an old version",
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
    "426 Upgrade Required",
  ],
] as const) {
  test(`${what} is answered ${status}`, async () => {
    await using({}, async (server) => {
      const socket = net.connect({ port: server.port!, host: "127.0.0.1" });
      socket.end(request, "latin1");
      const [chunk] = (await once(socket, "data")) as [Buffer];
      assert.match(String(chunk), new RegExp(`^HTTP/1.1 ${status}\r\n`));
      await once(socket, "close");
    });
  });
}

test("bodies are streamed both ways, at any size, on connections that are kept", async () => {
  const options: ServeOptions = {
    maxBodySize: Infinity,
    fetch: (request) =>
      new Response(request.body, { headers: { "X-Length": request.headers.get("Content-Length") ?? "" } }),
  };
  await using(options, async (server) => {
    for (const size of [0, 1, 100_000, 5_000_000]) {
      const body = Buffer.alloc(size, "abcdefg");
      const response = await fetch(server.url, { method: "POST", body });
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
      assert.equal(response.headers.get("X-Length"), String(size));
    }
    const parts = ReadableStream.from(["he", "llo"].map((part) => Buffer.from(part)));
    const response = await fetch(server.url, { method: "PUT", body: parts, duplex: "half" });
    assert.equal(await response.text(), "hello");
  });
});

test("a body over the limit is answered 413, even if fetch has begun to answer with it", async () => {
  const options: ServeOptions = { maxBodySize: 10, fetch: async (request) => new Response(await request.text()) };
  await using(options, async (server) => {
    assert.equal((await fetch(server.url, { method: "POST", body: "x".repeat(10) })).status, 200);
    const answer = await exchange(
      server,
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1.1 413 /);
    const chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
    assert.match(await exchange(server, chunked), /^HTTP\/1.1 413 /);
  });
});

test("node:http's client is served: 100 (Continue), a refusal without it, an agent that keeps its connections", async () => {
  let asked = 0;
  const options: ServeOptions = {
    fetch: async (request) => {
      asked++;
      if (request.url.endsWith("/no")) return new Response("no", { status: 403 });
      return new Response(await request.text());
    },
  };
  await using(options, async (server) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (target: string, headers: http.OutgoingHttpHeaders): Promise<[number, string, boolean]> => {
      let continued = false;
      const request = http.request(`${server.url}${target}`, { method: "POST", agent, headers });
      request.on("continue", () => {
        continued = true;
        request.end("hello");
      });
      if (headers.Expect === undefined) request.end("hello");
      else request.flushHeaders();
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      let text = "";
      for await (const part of response) text += String(part);
      request.destroy();
      return [response.statusCode!, text, continued];
    };
    assert.deepEqual(await ask("/", { "Content-Length": 5 }), [200, "hello", false]);
    assert.deepEqual(await ask("/", { "Content-Length": 5, Expect: "100-continue" }), [200, "hello", true]);
    assert.deepEqual(await ask("/", {}), [200, "hello", false]);
    assert.deepEqual(await ask("/no", { "Content-Length": 5, Expect: "100-continue" }), [403, "no", false]);
    assert.equal(asked, 4);
    agent.destroy();
  });
});

test("a response that is cut is not taken for a whole one", async (t) => {
  t.mock.method(console, "error", () => {});
  const fetchHandler = (): Response => {
    const body = (async function* (): AsyncGenerator<Uint8Array, undefined> {
      yield Buffer.from("some");
      // Later than anybody waits to see whether this was all.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      throw new Error("mine");
    })();
    return new Response(ReadableStream.from(body));
  };
  await using({ fetch: fetchHandler }, async (server) => {
    const response = await fetch(server.url);
    assert.equal(response.status, 200);
    await assert.rejects(response.text());
  });
});

test("fetchError gets the failures of fetch and of its response's body, with the request; error does not", async (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const told: [error: unknown, path: string][] = [];
  const [failure, later, own] = [new Error("mine"), new Error("later"), new Error("its own")];
  const options: ServeOptions = {
    fetch: ({ url }) => {
      if (url.endsWith("/throws")) throw failure;
      const parts = async function* (): AsyncGenerator<Uint8Array, void> {
        // The head is sent with the first two.
        yield Uint8Array.of(1);
        yield Uint8Array.of(2);
        throw later;
      };
      return new Response(ReadableStream.from(parts()));
    },
    fetchError(error, request) {
      told.push([error, request.path]);
      throw own;
    },
    error: () => assert.fail("of a WebSocket"),
  };
  await using(options, async (server) => {
    assert.equal((await fetch(`${server.url}/throws`)).status, 500);
    await assert.rejects(fetch(`${server.url}/body`).then((response) => response.arrayBuffer()));
    assert.deepEqual(server.stats().errors, { "http.handler_failed": 2 });
  });
  assert.deepEqual(told, [
    [failure, "/throws"],
    [later, "/body"],
  ]);
  assert.deepEqual(
    reported.mock.calls.map((call) => call.arguments),
    [[own], [own]],
  );
});

test("fetch that throws is answered 500 and does not end the server", async (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const failure = new Error("the application's own");
  await using(
    {
      fetch: () => {
        throw failure;
      },
    },
    async (server) => {
      assert.equal((await fetch(server.url)).status, 500);
      assert.deepEqual(
        reported.mock.calls.map((call) => call.arguments),
        [[failure]],
      );
    },
  );
});

test("a connection that sends nothing is closed at timeouts.header", async () => {
  const clock = new VirtualClock();
  await using({ clock, timeouts: { header: 1000 } }, async (server) => {
    const socket = net.connect({ port: server.port!, host: "127.0.0.1" });
    socket.on("error", () => {});
    const closed = once(socket, "close");
    await until(() => server.connections > 0);
    await clock.advance(999);
    assert.equal(server.connections, 1);
    await clock.advance(1);
    await closed;
    assert.equal(clock.pending, 0);
  });
});

test("close sends 1001 to all, also to those in the handshake, and waits for the end", async () => {
  let admitted!: () => void;
  let asked!: () => void;
  const gate = new Promise<void>((resolve) => (admitted = resolve));
  const hooked = new Promise<void>((resolve) => (asked = resolve));
  const upgrade = (request: Request): Promise<void> | undefined => {
    if (request.path !== "/slow") return undefined;
    asked();
    return gate;
  };
  const server = await serve({ ...local, upgrade });
  const quick = await open(server);
  const idle = net.connect({ port: server.port!, host: "127.0.0.1" });
  idle.resume();
  const slow = new WebSocket(`ws://127.0.0.1:${server.port}/slow`);
  const closes = [quick, slow].map((ws) => once(ws, "close"));
  const idleClosed = once(idle, "close");
  await hooked;
  const closing = server.close();
  admitted();
  await closing;
  assert.deepEqual(
    (await Promise.all(closes)).map(([code]) => code as number),
    [1001, 1001],
  );
  assert.equal(server.connections, 0);
  await idleClosed;
  await assert.rejects(once(net.connect({ port: server.port!, host: "127.0.0.1" }), "connect"), {
    code: "ECONNREFUSED",
  });
});

test("a Unix socket", async () => {
  const socketPath = path.join(tmpdir(), `serval-${process.pid}.sock`);
  const server = await serve({ unix: socketPath, message: (ws, message) => ws.write(message) });
  assert.equal(server.url, `ws+unix:${socketPath}:`);
  assert.equal(server.port, undefined);
  assert.deepEqual(server.address, { unix: socketPath });
  const ws = new WebSocket(`ws+unix:${socketPath}:/chat`);
  await once(ws, "open");
  ws.send("through a file");
  assert.equal(await next(ws), "through a file");
  await server.close();
});

test("a port in use is reported clearly", async () => {
  await using({}, async (server) => {
    await assert.rejects(serve({ port: server.port!, host: "127.0.0.1" }), (error: ServalError) => {
      assert.equal(error.code, "net.address_in_use");
      assert.match(error.message, new RegExp(`127.0.0.1:${server.port}`));
      return true;
    });
  });
});

test("invalid options are refused before anything listens", async () => {
  const message = (): void => {};
  const connection = (): void => {};
  await assert.rejects(serve({ message, connection }), { code: "core.invalid_argument" });
  await assert.rejects(serve({ port: 1, unix: "/x" }), { code: "core.invalid_argument" });
  for (const options of [8080, null, { massage: message }, { fetch: "x" }, { connection: "x" }]) {
    await assert.rejects(serve(options as object), { code: "core.invalid_argument" });
  }
  await assert.rejects(serve({ maxMessageSize: -1 }), { code: "core.invalid_argument", message: /maxMessageSize/ });
});

test("await using closes the server", async () => {
  let port: number;
  {
    await using server = await serve(local);
    port = server.port!;
  }
  await assert.rejects(once(net.connect({ port, host: "127.0.0.1" }), "connect"), { code: "ECONNREFUSED" });
});

test("a peer that never reads is cut off when too much output waits for it", async () => {
  const errors: string[] = [];
  let closed!: () => void;
  const over = new Promise<void>((resolve) => (closed = resolve));
  const options: ServeOptions = {
    maxBufferedAmount: 1024 * 1024,
    open: async (ws) => {
      const chunk = new Uint8Array(10_000);
      await until(
        () => !ws.isOpen,
        () => {
          ws.send(chunk);
          return new Promise((resolve) => setImmediate(resolve));
        },
      );
    },
    error: (_ws, error) => errors.push(error.code),
    close: () => closed(),
  };
  await using(options, async (server) => {
    const ws = await open(server);
    ws.pause();
    ws.on("error", () => {});
    await over;
    assert.deepEqual(errors, ["websocket.queue_overflow"]);
    ws.terminate();
  });
});

test("drain waits for running handlers, even of ended sockets, but not beyond its timeout", async () => {
  for (const isDone of [true, false]) {
    const clock = new VirtualClock();
    let arrived!: () => void;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    let finish!: () => void;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const server = await serve({
      ...local,
      clock,
      message: () => {
        arrived();
        return work;
      },
    });
    const ws = await open(server);
    ws.send("work");
    await arrival;
    let report: DrainReport | undefined;
    const drained = server.drain({ timeout: 5_000 }).then((value) => (report = value));
    const [code] = (await once(ws, "close")) as [number];
    assert.equal(code, 1001);
    await until(() => server.connections === 0);
    await new Promise(setImmediate);
    assert.equal(report, undefined, "a handler is at work");
    if (isDone) finish();
    else await clock.advance(5_000);
    await drained;
    assert.deepEqual(report, { closed: 1, lost: 0, terminated: 0, finished: 0, cut: 0, duration: isDone ? 0 : 5_000 });
    assert.equal(clock.pending, 0);
  }
});

const busy = "There are too many connections";

test("a connection over maxConnections is refused, until there is room", async () => {
  await serving({ maxConnections: 2, message: () => {} }, async (server) => {
    const [ws, plain] = [await dial(server, requestBytes()), await dial(server)];
    await until(() => ws.received.includes("101") && server.connections === 2);
    const refused = await dial(server);
    await until(() => refused.received.includes(busy));
    assert.match(refused.received, /^HTTP\/1\.1 503 .*\r\nRetry-After: 10\r\n/s);
    plain.socket.destroy();
    await until(() => server.connections === 1);
    assert.match((await asked(server)).received, / 426 /);
    assert.equal(server.stats().refused.maxConnections, 1);
  });
});

/** A plain request, answered. */
async function asked(server: Server, headers = ""): Promise<Dialed> {
  const dialed = await dial(server, `GET / HTTP/1.1\r\nHost: h\r\n${headers}\r\n`);
  await until(() => dialed.received.includes("\r\n\r\n"));
  return dialed;
}

test("a connection keeps its place when it becomes a WebSocket, and frees it at its end", async () => {
  await serving({ maxConnectionsPerAddress: 1, message: () => {} }, async (server) => {
    for (let time = 0; time < 3; time++) {
      const { socket } = await dial(server, requestBytes());
      await until(() => server.sockets.size === 1 && server.connections === 1);
      const refused = await dial(server);
      await until(() => refused.received.includes("from this address"));
      assert.match(refused.received, /^HTTP\/1\.1 429 /);
      socket.destroy();
      await until(() => server.connections === 0);
    }
    assert.equal(server.stats().refused.maxConnectionsPerAddress, 3);
  });
});

for (const [what, options, bytes] of [
  ["a plain request", {}, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"],
  ["a malformed one", {}, "\0\0\0\0\r\n\r\n"],
  ["half a request", {}, "GET / HT"],
  ["an upgrade that is malformed", {}, requestBytes({ "Sec-WebSocket-Version": "8" })],
  ["an upgrade of another origin", {}, requestBytes({ Origin: "https://evil.example" })],
  ["an upgrade with a body", {}, requestBytes({ "Content-Length": "5" })],
  ["an upgrade that is declined", { upgrade: () => new HttpResponse({ status: 401 }) }, requestBytes()],
  [
    "an upgrade whose hook throws",
    {
      upgrade: () => {
        throw new Error("mine");
      },
      error: () => {},
    },
    requestBytes(),
  ],
  ["an upgrade whose hook never settles", { upgrade: () => new Promise<void>(() => {}) }, requestBytes()],
  ["a handler that throws", { open: () => Promise.reject(new Error("mine")), error: () => {} }, requestBytes()],
] as const) {
  for (const how of ["end", "reset"] as const) {
    test(`the place of ${what} is free again after the client's ${how}`, async () => {
      const own = {
        ...(options as ServeOptions),
        maxConnectionsPerAddress: 1,
        timeouts: { handshake: 1000, header: 1000 },
      };
      await serving(own, async (server, clock) => {
        for (let time = 0; time < 2; time++) {
          const { socket, closed } = await dial(server, bytes);
          await until(() => server.stats().accepted === time + 1 && socket.bytesWritten === bytes.length);
          if (how === "end") socket.end();
          else socket.resetAndDestroy();
          // A hook that never settles finds out by its deadline.
          await until(
            () => server.connections === 0,
            () => clock.advance(100),
          );
          await closed;
        }
        assert.equal(server.stats().refused.maxConnectionsPerAddress, 0);
        assert.equal(clock.pending, 0);
      });
    });
  }
}

describe("behind a proxy", () => {
  const from = (address: string): Uint8Array => requestBytes({ "X-Forwarded-For": address });
  const trusting: ServeOptions = { proxies: { trusted: ["loopback"] }, maxConnectionsPerAddress: 1, message: () => {} };

  test("WebSockets are counted by client, and the proxy's connections are not", async () => {
    await serving(trusting, async (server) => {
      const first = await dial(server, from("192.0.2.1"));
      await until(() => first.received.includes("101"));
      const second = await dial(server, from("192.0.2.1"));
      await until(() => second.received.includes("from this address"));
      assert.match(second.received, /^HTTP\/1\.1 429 /);
      const other = await dial(server, from("192.0.2.2"));
      await until(() => other.received.includes("101"));
      // The proxy's own, and whoever it names as one of its kind.
      for (const bytes of [requestBytes(), requestBytes(), from("127.0.0.5"), from("127.0.0.5")]) {
        const own = await dial(server, bytes);
        await until(() => own.received.includes("101"));
      }
      assert.equal(
        [...server.sockets]
          .map(({ peer }) => peer?.address)
          .toSorted()
          .join(),
        "127.0.0.1,127.0.0.1,127.0.0.5,127.0.0.5,192.0.2.1,192.0.2.2",
      );
      first.socket.destroy();
      await until(() => server.sockets.size === 5);
      const third = await dial(server, from("192.0.2.1"));
      await until(() => third.received.includes("101"));
    });
  });

  test("a connection whose upgrade is refused may send other requests", async () => {
    await serving({ ...trusting, fetch: () => new Response("hello") }, async (server) => {
      const first = await dial(server, from("192.0.2.1"));
      await until(() => first.received.includes("101"));
      const second = await dial(server, from("192.0.2.1"));
      await until(() => second.received.includes("from this address"));
      second.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => second.received.endsWith("hello"));
    });
  });

  test("with the PROXY protocol each connection is counted by the client it names, or by itself", async () => {
    for (const proxyProtocol of [true, "optional"] as const) {
      await serving({ proxyProtocol, maxConnectionsPerAddress: 1, message: () => {} }, async (server) => {
        const header = (address: string): string => `PROXY TCP4 ${address} 192.0.2.9 4711 80\r\n`;
        for (const begin of [header("192.0.2.1"), "PROXY UNKNOWN\r\n", ...(proxyProtocol === true ? [] : [""])]) {
          const bytes = Buffer.concat([Buffer.from(begin), requestBytes()]);
          const first = await dial(server, bytes);
          await until(() => first.received.includes("101"));
          const second = await dial(server, bytes);
          await second.closed;
          first.socket.destroy();
          await until(() => server.connections === 0);
          const third = await dial(server, bytes);
          await until(() => third.received.includes("101"));
          third.socket.destroy();
          await until(() => server.connections === 0);
        }
        assert.equal(server.stats().refused.maxConnectionsPerAddress, proxyProtocol === true ? 2 : 3);
      });
    }
  });

  test("the client of a PROXY header may itself be a proxy, whose clients are counted; nothing stays of either", async () => {
    const both: ServeOptions = { proxyProtocol: true, proxies: { trusted: ["10.0.0.1"] }, maxConnectionsPerAddress: 1 };
    await serving({ ...both, message: () => {} }, async (server) => {
      for (let time = 0; time < 3; time++) {
        const begin = Buffer.from("PROXY TCP4 10.0.0.1 192.0.2.9 4711 80\r\n");
        const first = await dial(server, Buffer.concat([begin, from("192.0.2.1")]));
        const other = await dial(server, Buffer.concat([begin, from("192.0.2.2")]));
        await until(() => first.received.includes("101") && other.received.includes("101"));
        const second = await dial(server, Buffer.concat([begin, from("192.0.2.1")]));
        await until(() => second.received.includes("429"));
        for (const { socket } of [first, other, second]) socket.destroy();
        await until(() => server.connections === 0);
      }
    });
  });

  test("fetch and upgrade get the client", async () => {
    const seen: unknown[] = [];
    const options: ServeOptions = {
      ...trusting,
      fetch: (_, { peer }) => new Response(`from ${peer?.address}`),
      upgrade: (_, peer) => void seen.push(peer?.address),
    };
    await serving(options, async (server) => {
      const { received } = await asked(server, "X-Forwarded-For: evil, 192.0.2.1\r\n");
      assert.match(received, /from 192\.0\.2\.1/);
      const ws = await dial(server, from("192.0.2.1"));
      await until(() => ws.received.includes("101"));
      assert.deepEqual(seen, ["192.0.2.1"]);
    });
  });
});

test("publish, subscribers and stats cover all its WebSockets", async () => {
  await serving({ open: (ws) => void ws.subscribe("news") }, async (server) => {
    const clients = [await dial(server, requestBytes()), await dial(server, requestBytes())];
    await until(() => server.subscribers("news").size === 2);
    assert.equal(server.publish("news", "hi"), 2);
    for (const client of clients) await until(() => client.received.endsWith("\x81\x02hi"));
    const { connections, sockets, topics, subscriptions, accepted, opened, messagesSent } = server.stats();
    assert.deepEqual(
      [connections, sockets, topics, subscriptions, accepted, opened, messagesSent],
      [2, 2, 1, 2, 2, 2, 2],
    );
  });
});

test("requests are counted, and those that are too large", async () => {
  await serving({ fetch: async (request) => new Response(await request.text()), maxBodySize: 1 }, async (server) => {
    await asked(server);
    await asked(server, `X: ${"x".repeat(20_000)}\r\n`);
    const posted = await dial(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx");
    await until(() => posted.received.includes(" 413 "));
    posted.socket.destroy();
    await until(() => server.stats().limits.maxBodySize === 1 && server.stats().limits.maxHeaderSize === 1);
    assert.equal(server.stats().requests, 2);
    assert.deepEqual(server.stats().errors, { "http.header_limit": 1, "http.body_limit": 1 });
  });
});

test("a request may have 2,000 headers, or as many as maxHeadersCount says", async () => {
  const fetch = (): Response => new Response("fine");
  const fields = (count: number): string => "a:\r\n".repeat(count);
  for (const [maxHeadersCount, most] of [
    [undefined, 2000],
    [10, 10],
  ] as const) {
    await serving({ fetch, maxHeadersCount }, async (server) => {
      // With Host and Connection; an upgrade has four more.
      for (const [upgrade, own] of [
        ["", 2],
        ["Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", 5],
      ] as const) {
        for (const [count, status] of [
          [most, upgrade === "" ? 200 : 101],
          [most + 1, 431],
        ] as const) {
          const head = `Host: 127.0.0.1\r\nConnection: upgrade\r\n${upgrade}${fields(count - own)}`;
          const client = await dial(server, `GET / HTTP/1.1\r\n${head}\r\n`);
          await until(() => client.received.includes("\r\n\r\n"));
          assert.match(client.received, new RegExp(`^HTTP/1.1 ${status} `), `${count} of ${most}`);
          client.socket.destroy();
        }
      }
      await until(() => server.stats().limits.maxHeadersCount === 2);
    });
  }
});

for (const [name, part] of [
  ["header", "POST / HTTP/1.1\r\nHos"],
  ["body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"],
] as const) {
  test(`a request that stalls in its ${name} is answered with 408 at timeouts.${name}, and counted there`, async () => {
    const fetch: FetchHandler = async (request) => new Response(await request.text());
    const timeouts = { handshake: 500, keepAlive: 500, header: 5000, body: 5000, [name]: 1000 };
    await serving({ fetch, timeouts }, async (server, clock) => {
      // Once the request before it is answered, the part is there.
      const client = await dial(server, `GET / HTTP/1.1\r\nHost: h\r\n\r\n${part}`);
      await until(() => client.received.includes("200"));
      await clock.advance(999);
      assert.deepEqual([server.connections, client.received.includes("408")], [1, false]);
      await until(
        () => client.received.includes("408"),
        () => clock.advance(1),
      );
      assert.ok(clock.now() < 5000);
      client.socket.end();
      await client.closed;
      await until(() => server.connections === 0);
      const { limits, errors } = server.stats();
      assert.deepEqual([limits[`timeouts.${name}`], errors], [1, { "core.timeout": 1 }]);
    });
  });
}

test("a plain connection waits timeouts.keepAlive for its next request", async () => {
  for (const [keepAlive, ms] of [
    [undefined, 60_000],
    [5_000, 5_000],
  ] as const) {
    const clock = new VirtualClock();
    const server = await serve({ ...local, clock, timeouts: { keepAlive }, fetch: () => new Response("hello") });
    const socket = net.connect({ port: server.port!, host: "127.0.0.1" });
    socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await once(socket, "data");
    // The deadline moves with the next read, which starts behind the response.
    await until(() => clock.pending > 0);
    const closed = once(socket, "close");
    await clock.advance(ms - 1);
    assert.equal(server.connections, 1);
    await clock.advance(1);
    await closed;
    await server.close();
  }
});

test("drain waits for an async close handler, so that it can save", async () => {
  let isSaved = false;
  const saving = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  const server = await serve({
    ...local,
    message: () => {},
    close: async () => {
      await saving;
      await new Promise(setImmediate);
      isSaved = true;
    },
  });
  const ws = await open(server);
  const closed = once(ws, "close");
  await server.drain();
  assert.equal(isSaved, true);
  await closed;
});
