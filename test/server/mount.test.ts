import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import {
  mount,
  type ChannelMessages,
  type MountedServer,
  type MountOptions,
  type UpgradingServer,
} from "../../src/server/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { withPath } from "../net/support/sockets.ts";
import { quiet } from "../support/quiet.ts";
import { requestBytes, type Changes } from "../websocket/support/requests.ts";
import { until } from "../support/until.ts";
import { dial, serving, type Dialed } from "./support/sockets.ts";

const echo: MountOptions = { message: (ws, message) => void ws.send(message) };

/** An HTTP server that listens, and what is mounted on it; all of it is gone at the end. */
async function mounted(
  options: readonly MountOptions[],
  use: (server: http.Server, mounts: MountedServer[], address: { port: number }) => Promise<void>,
  server: http.Server = http.createServer((_, response) => response.end("a page")),
): Promise<void> {
  const mounts = options.map((each) => mount(server, each));
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await use(server, mounts, server.address() as AddressInfo);
  } finally {
    for (const each of mounts) for (const ws of each.sockets) ws.terminate();
    for (const each of mounts) await each.close();
    assert.deepEqual(
      mounts.map(({ connections }) => connections),
      mounts.map(() => 0),
    );
    server.closeAllConnections();
    server.close();
  }
}

const ask = (path: string, changes?: Changes): Uint8Array => requestBytes(changes, `GET ${path} HTTP/1.1`);

/** The status that an upgrade is answered with. */
async function statusOf(address: { port: number }, path: string, changes?: Changes): Promise<number> {
  const dialed = await dial({ address }, ask(path, changes));
  await until(() => dialed.received.includes("\r\n\r\n"));
  dialed.socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(dialed.received)![1]);
}

for (const [kind, scheme, create] of [
  ["node:http", "ws", (app: http.RequestListener): http.Server => http.createServer(app)],
  ["node:https", "wss", (app: http.RequestListener): http.Server => https.createServer(localhost, app)],
] as const) {
  test(`${kind}: requests go where they went before, upgrades to the mount`, async () => {
    const server = create((request, response) => response.end(`a page for ${request.url}`));
    await mounted(
      [echo],
      async (_, [chat], { port }) => {
        const ws = new WebSocket(`${scheme}://localhost:${port}/`, { ca: localhost.cert });
        await once(ws, "open");
        ws.send("hello");
        const [data] = (await once(ws, "message")) as [Buffer];
        assert.equal(String(data), "hello");
        assert.deepEqual(
          [chat!.connections, chat!.sockets.size, [...chat!.sockets][0]!.peer?.address],
          [1, 1, "127.0.0.1"],
        );
        const get = scheme === "ws" ? http.get : https.get;
        const request = get({ host: "localhost", port, path: "/x", ca: localhost.cert, agent: false });
        const [response] = (await once(request, "response")) as [http.IncomingMessage];
        let page = "";
        for await (const part of response) page += String(part);
        assert.equal(page, "a page for /x");
        ws.close(4000);
        const [code] = (await once(ws, "close")) as [number];
        assert.equal(code, 4000);
        await until(() => chat!.connections === 0);
        assert.deepEqual([chat!.stats().opened, chat!.stats().closed[4000]], [1, 1]);
      },
      server,
    );
  });
}

test("frames right after the request are read", async () => {
  await mounted([echo], async (_, __, address) => {
    const hi = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69);
    const dialed = await dial({ address }, Buffer.concat([ask("/"), hi]));
    await until(() => dialed.received.endsWith("\x81\x02hi"));
    dialed.socket.destroy();
  });
});

describe("paths", () => {
  test("only the mount's own, with any query; others get 404 if nothing else listens", async () => {
    await mounted([{ ...echo, path: "/chat" }], async (_, [chat], address) => {
      assert.equal(await statusOf(address, "/chat"), 101);
      assert.equal(await statusOf(address, "/chat?room=1"), 101);
      assert.equal(await statusOf(address, "http://localhost/chat"), 101);
      for (const path of ["/", "/other", "/chat/", "/Chat", "/chat/x"])
        assert.equal(await statusOf(address, path), 404);
      assert.equal(chat!.stats().opened, 3);
    });
  });

  test("others are left to other listeners", async () => {
    const server = http.createServer();
    const seen: string[] = [];
    server.on("upgrade", (request, socket) => {
      if (request.url === "/chat") return;
      seen.push(request.url!);
      socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
    await mounted(
      [{ ...echo, path: "/chat" }],
      async (_, __, address) => {
        assert.equal(await statusOf(address, "/chat"), 101);
        assert.equal(await statusOf(address, "/other"), 418);
        assert.deepEqual(seen, ["/other"]);
      },
      server,
    );
  });

  test("several mounts have their own paths each; an upgrade of no mount gets 404, once", async () => {
    await mounted(
      [
        { ...echo, path: "/a" },
        { ...echo, path: "/b" },
      ],
      async (_, [a, b], address) => {
        assert.deepEqual([await statusOf(address, "/a"), await statusOf(address, "/b")], [101, 101]);
        const dialed = await dial({ address }, ask("/c"));
        await until(() => dialed.received.includes("no WebSocket here"));
        dialed.socket.end();
        await dialed.closed;
        assert.equal(dialed.received.match(/HTTP\/1\.1/g)?.length, 1);
        assert.deepEqual([a!.stats().opened, b!.stats().opened], [1, 1]);
      },
    );
  });

  test("a mount without a path has all other paths", async () => {
    await mounted([echo, { ...echo, path: "/a" }], async (_, [all, a], address) => {
      assert.deepEqual([await statusOf(address, "/a"), await statusOf(address, "/b")], [101, 101]);
      assert.deepEqual([all!.stats().opened, a!.stats().opened], [1, 1]);
    });
  });

  test("one path is mounted once, until it is drained", async () => {
    for (const path of ["/a", undefined]) {
      await mounted([{ path }], async (server, [first], address) => {
        assert.throws(() => mount(server, { path }), { code: "core.invalid_argument", message: /already/ });
        assert.equal(server.listenerCount("upgrade"), 1);
        await statusOf(address, "/a");
        const closing = first!.close();
        const second = mount(server, { path });
        assert.equal(await statusOf(address, "/a"), 101);
        await closing;
        await until(() => second.stats().opened === 1);
        await second.close();
        assert.equal(server.listenerCount("upgrade"), 0);
      });
    }
  });

  for (const path of ["chat", "", 5, null]) {
    test(`${JSON.stringify(path)} is not a path`, () => {
      const server = http.createServer();
      assert.throws(() => mount(server, { path: path as string }), { code: "core.invalid_argument", message: /slash/ });
      assert.equal(server.listenerCount("upgrade"), 0);
    });
  }
});

test("an upgrade whose target is no path gets 400, with and without a mount's path, and beside other paths", async () => {
  for (const options of [
    [echo],
    [{ ...echo, path: "/chat" }],
    [
      { ...echo, path: "/a" },
      { ...echo, path: "/b" },
    ],
  ]) {
    await mounted(options, async (_, mounts, address) => {
      assert.equal(await statusOf(address, "*"), 400);
      await until(() => mounts[0]!.stats().refused.malformed === 1);
      // Node.js refuses these itself.
      for (const target of ["x", "http:/chat"]) assert.equal(await statusOf(address, target), 400, target);
      assert.equal(mounts[0]!.stats().opened, 0);
    });
  }
});

describe("an upgrade that another listener answers is left to it", () => {
  type Upgraded = (incoming: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
  const answers: Record<string, Upgraded> = {
    "with a response": (_, socket) => socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n"),
    "and goes on": (_, socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\nours"),
    "by a write in a microtask": (_, socket) =>
      queueMicrotask(() => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\nours")),
    "by destroying the socket": (_, socket) => void socket.destroy(),
    "later, but reads already": (_, socket) => {
      socket.on("data", () => {});
      setTimeout(() => socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n"), 10);
    },
  };
  for (const [name, answer] of Object.entries(answers)) {
    for (const path of [undefined, "/chat"]) {
      for (const isFirst of [true, false]) {
        test(`${name}, ${isFirst ? "before" : "after"} a mount ${path === undefined ? "without a path" : "of its path"}`, async () => {
          const server = http.createServer();
          if (isFirst) server.on("upgrade", answer);
          await mounted(
            [{ ...echo, path }],
            async (_, [chat], address) => {
              if (!isFirst) server.on("upgrade", answer);
              const dialed = await dial({ address }, ask("/chat"));
              await until(() => dialed.received !== "" || dialed.socket.destroyed);
              await quiet(3);
              dialed.socket.destroy();
              assert.equal(dialed.received.match(/HTTP\/1\.1/g)?.length, name.includes("destroying") ? undefined : 1);
              assert.doesNotMatch(dialed.received, /Sec-WebSocket-Accept/);
              assert.deepEqual([chat!.stats().accepted, chat!.connections], [0, 0]);
            },
            server,
          );
        });
      }
    }
  }

  test("by ws on the same server, in either order, also on a connection that has had a response", async () => {
    for (const isFirst of [true, false]) {
      const server = http.createServer((_, response) => response.end("page"));
      const theirs = (): WebSocketServer => new WebSocketServer({ noServer: true });
      const other = theirs();
      const listen = (): void =>
        void server.on("upgrade", (request, socket, head) => {
          if (request.url === "/theirs") other.handleUpgrade(request, socket, head, (ws) => ws.send("theirs"));
        });
      if (isFirst) listen();
      await mounted(
        [{ open: (ws) => void ws.send("ours") }],
        async (_, __, address) => {
          if (!isFirst) listen();
          for (const [path, name] of [
            ["/theirs", "theirs"],
            ["/", "ours"],
          ] as const) {
            const dialed = await dial({ address }, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            await until(() => dialed.received.endsWith("page"));
            dialed.socket.write(ask(path));
            await until(() => dialed.received.endsWith(name));
            dialed.socket.destroy();
            assert.equal(dialed.received.match(/ 101 /g)?.length, 1);
          }
        },
        server,
      );
    }
  });

  test("by ws with another path, which answers all paths, in either order: counted, and told of", async (t) => {
    const refusals: ChannelMessages["serval:refusal"][] = [];
    const hear = (message: unknown): void => void refusals.push(message as ChannelMessages["serval:refusal"]);
    subscribe("serval:refusal", hear);
    t.after(() => unsubscribe("serval:refusal", hear));
    for (const isFirst of [true, false]) {
      const server = http.createServer();
      const listen = (): void =>
        void new WebSocketServer({ server, path: "/hmr" }).on("connection", (ws) => ws.close());
      if (isFirst) listen();
      await mounted(
        [{ ...echo, path: "/chat" }, echo],
        async (_, [chat, others], address) => {
          if (!isFirst) listen();
          assert.equal(await statusOf(address, "/chat"), 400);
          assert.equal(chat!.stats().refused.taken, 1);
          const [{ reason, peer, request }, ...more] = refusals.splice(0) as [ChannelMessages["serval:refusal"]];
          assert.deepEqual([reason, peer?.address, request?.target, more], ["taken", "127.0.0.1", "/chat", []]);
          // A mount of all paths leaves others what they answer, and so does a mount of another path.
          assert.deepEqual([await statusOf(address, "/hmr"), await statusOf(address, "/")], [101, 400]);
          assert.deepEqual([chat!.stats().refused.taken, others!.stats().refused.taken, refusals], [1, 0, []]);
        },
        server,
      );
    }
  });

  test("one that only listens for errors leaves it, and a client that is gone by then harms nobody", async () => {
    const server = http.createServer();
    let isGone = false;
    server.on("upgrade", (_, socket) => {
      socket.on("error", () => {});
      if (isGone) socket.destroy(new Error("gone"));
    });
    await mounted(
      [echo],
      async (_, [chat], address) => {
        assert.equal(await statusOf(address, "/"), 101);
        isGone = true;
        const dialed = await dial({ address }, ask("/"));
        await dialed.closed;
        assert.equal(chat!.stats().accepted, 1);
      },
      server,
    );
  });
});

test("anything but an HTTP server is refused, with what is expected", () => {
  for (const wrong of [undefined, null, {}, 8080, (): void => {}, { on() {} }]) {
    assert.throws(() => mount(wrong as unknown as UpgradingServer, {}), {
      code: "core.invalid_argument",
      message: /createServer\(app\), or what app\.listen\(\) returns/,
    });
  }
});

test("a WebSocket has none of the server's timeouts for requests", async () => {
  const server = http.createServer();
  server.setTimeout(60_000);
  let timeout: number | undefined;
  const options: MountOptions = { upgrade: (request) => void (timeout = request.target === "/" ? socket?.timeout : 0) };
  let socket: Socket | undefined;
  server.on("connection", (given) => (socket = given));
  await mounted(
    [options],
    async (_, __, address) => {
      assert.equal(await statusOf(address, "/"), 101);
      assert.equal(timeout, 0);
    },
    server,
  );
});

test("a request that can't become a WebSocket is refused, and counted", async () => {
  await mounted([echo], async (_, [chat], address) => {
    assert.equal(await statusOf(address, "/", { "Sec-WebSocket-Version": "8" }), 426);
    assert.equal(await statusOf(address, "/", { "Sec-WebSocket-Key": undefined }), 400);
    assert.equal(await statusOf(address, "/", { Upgrade: "h2c" }), 400);
    assert.equal(await statusOf(address, "/", { Origin: "https://evil.example" }), 403);
    const { refused } = chat!.stats();
    assert.deepEqual([refused.malformed, refused.origins], [3, 1]);
  });
});

test("maxConnections and maxConnectionsPerAddress limit its connections", async () => {
  for (const [options, status, reason] of [
    [{ maxConnections: 1 }, 503, "maxConnections"],
    [{ maxConnectionsPerAddress: 1 }, 429, "maxConnectionsPerAddress"],
  ] as const) {
    await mounted([{ ...echo, ...options }], async (_, [chat], address) => {
      const first = await dial({ address }, ask("/"));
      await until(() => first.received !== "");
      assert.equal(await statusOf(address, "/"), status);
      assert.equal(chat!.stats().refused[reason], 1);
      first.socket.destroy();
      await until(() => chat!.connections === 0);
      assert.equal(await statusOf(address, "/"), 101);
    });
  }
});

test("a client that comes by IPv4 has an IPv4 address, of whatever families the server's socket is", async () => {
  const peers: unknown[] = [];
  const server = http.createServer();
  await once(server.listen(0, "::"), "listening");
  const upgrade: MountOptions["upgrade"] = (_, peer) => void peers.push(peer?.address, peer?.family);
  await mounted([{ upgrade }], async (_, __, address) => assert.equal(await statusOf(address, "/"), 101), server);
  await serving(
    { host: "::", upgrade, fetch: (_, { peer }) => new Response(`from ${peer?.address}`) },
    async (listening) => {
      assert.equal(await statusOf({ port: listening.port! }, "/"), 101);
      const plain = await dial(listening, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => plain.received.endsWith("from 127.0.0.1"));
      plain.socket.destroy();
    },
  );
  await serving({ host: "::ffff:127.0.0.1" }, (listening) => {
    assert.deepEqual(
      [listening.address.address, listening.address.family, listening.url],
      ["127.0.0.1", "IPv4", `http://127.0.0.1:${listening.port}`],
    );
    return Promise.resolve();
  });
  assert.deepEqual(peers, ["127.0.0.1", "IPv4", "127.0.0.1", "IPv4"]);
});

test("behind a trusted proxy the client is the one it names, on a Unix socket too", async () => {
  const clients: (string | undefined)[] = [];
  const options: MountOptions = {
    proxies: { trusted: ["loopback"] },
    upgrade: (_, peer) => void clients.push(peer?.address ?? peer?.unix),
  };
  await mounted([options], async (_, __, address) => {
    await statusOf(address, "/", { "X-Forwarded-For": "192.0.2.1" });
  });
  await withPath(async (path) => {
    const server = http.createServer();
    await once(server.listen(path), "listening");
    await mounted(
      [options],
      async () => {
        for (const changes of [{ "X-Forwarded-For": "192.0.2.2" }, {}]) {
          const dialed = await dial({ address: { unix: path } }, ask("/", changes));
          await until(() => dialed.received !== "");
          dialed.socket.destroy();
        }
      },
      server,
    );
    assert.deepEqual(clients, ["192.0.2.1", "192.0.2.2", path]);
  });
});

test("a drain refuses, closes, reports, and then accepts no upgrades; the HTTP server goes on", async () => {
  const clock = new VirtualClock();
  await mounted([{ ...echo, clock }], async (server, [chat], address) => {
    const one: Dialed = await dial({ address }, ask("/"));
    await until(() => one.received.includes("101"));
    const drained = chat!.drain({ timeout: 10_000, code: 1012 });
    const late = await dial({ address }, ask("/"));
    await until(() => late.received.includes("\r\n\r\n"));
    assert.match(late.received, /^HTTP\/1\.1 503 .*\r\nRetry-After: 10\r\n/s);
    late.socket.destroy();
    await until(() => one.received.endsWith("\x88\x02\x03\xf4"));
    one.socket.end(Uint8Array.of(0x88, 0x80, 0, 0, 0, 0));
    assert.deepEqual(await drained, { closed: 1, lost: 0, terminated: 0, finished: 0, cut: 0, duration: 0 });
    assert.equal(server.listenerCount("upgrade"), 0);
    assert.ok(server.listening);
    await until(() => clock.pending === 0);
    // To Node.js it is an ordinary request now.
    assert.equal(await statusOf(address, "/"), 200);
  });
});

test("a drain with invalid options rejects, and nothing was done", async () => {
  await mounted([echo], async (server, [chat], address) => {
    await assert.rejects(chat!.drain({ timeout: -1 }), { code: "core.invalid_argument" });
    assert.equal(server.listenerCount("upgrade"), 1);
    assert.equal(await statusOf(address, "/"), 101);
  });
});

test("await using drains it", async () => {
  const server = http.createServer();
  {
    await using chat = mount(server, echo);
    assert.equal(chat.publish("news", "x"), 0);
    assert.equal(chat.subscribers("news").size, 0);
    assert.equal(server.listenerCount("upgrade"), 1);
  }
  assert.equal(server.listenerCount("upgrade"), 0);
});

test("topics are the mount's own", async () => {
  const open: MountOptions["open"] = (ws) => void ws.subscribe("news");
  await mounted(
    [
      { path: "/a", open },
      { path: "/b", open },
    ],
    async (_, [a, b], address) => {
      const [one, other] = [await dial({ address }, ask("/a")), await dial({ address }, ask("/b"))];
      await until(() => a!.subscribers("news").size === 1 && b!.subscribers("news").size === 1);
      assert.equal(a!.publish("news", "hi"), 1);
      await until(() => one.received.endsWith("\x81\x02hi"));
      assert.ok(!other.received.includes("\x02hi"));
      for (const { socket } of [one, other]) socket.destroy();
    },
  );
});

test("the socket may be any duplex, and the server anything that emits upgrades", async () => {
  let listener!: Parameters<UpgradingServer["on"]>[1];
  const server: UpgradingServer = {
    on: (_, given) => (listener = given),
    off: () => {},
    listenerCount: () => 1,
    listening: true,
  };
  const chat = mount(server, echo);
  let written = "";
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      written += chunk.toString("latin1");
      done();
    },
  });
  const rawHeaders =
    "Host: h, Connection: Upgrade, Upgrade: websocket, Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, Sec-WebSocket-Version: 13"
      .split(", ")
      .flatMap((field) => field.split(": "));
  const incoming = { method: "GET", url: "/", httpVersionMajor: 1, httpVersionMinor: 1, rawHeaders };
  listener(incoming as http.IncomingMessage, socket, Buffer.alloc(0));
  await quiet();
  assert.match(written, /^HTTP\/1\.1 101 /);
  assert.equal([...chat.sockets][0]!.peer, undefined);
  socket.destroy();
  await chat.close();
});
