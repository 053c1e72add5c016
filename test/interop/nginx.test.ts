import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { createServer } from "node:tls";
import { describe, it } from "node:test";
import { WebSocket as WsWebSocket } from "ws";
import type { CloseInfo } from "../../src/core/index.ts";
import { Response } from "../../src/http/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { serve } from "../../src/server/index.ts";
import { Stream, type StreamOptions } from "../../src/websocket/index.ts";
import { localhost } from "../support/localhost.ts";
import { withPath } from "../net/support/sockets.ts";
import { startNginx } from "../support/nginx.ts";
import { requires, type Cleanup, type Daemon } from "../support/programs.ts";
import { clients, closing, converse, echo, messages, opened, WsEcho, type Client } from "./support/conversation.ts";

// Clients, TLS, Debian's nginx as a reverse proxy, and our server behind it, in each way that nginx reaches one.
scrubReads(true);

/** Runs `use` with the URL of a server as nginx's proxy_pass has it. */
type Upstream = (options: StreamOptions, use: (url: string) => Promise<void>) => Promise<void>;

const upstreams: readonly [name: string, upstream: Upstream][] = [
  [
    "TCP",
    async (options, use) => {
      await using server = await serve({ port: 0, host: "127.0.0.1", ...options });
      await use(server.url);
    },
  ],
  [
    "TLS",
    async (options, use) => {
      const server = createServer(localhost, (socket) => void new Stream(socket, options).accept());
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        await use(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
      } finally {
        server.close();
      }
    },
  ],
  [
    "a Unix socket",
    (options, use) =>
      withPath(async (path) => {
        await using server = await serve({ unix: path, ...options });
        await use(`http://unix:${server.address.unix}`);
      }),
  ],
];

/** How a server's connection ended, in the order in which they did. */
function closes(): { options: StreamOptions; next: Promise<CloseInfo> } {
  let tell!: (info: CloseInfo) => void;
  const next = new Promise<CloseInfo>((resolve) => (tell = resolve));
  return { options: { close: (_ws, info) => tell(info) }, next };
}

const trusting = (url: string): WsWebSocket => new WsWebSocket(url, { rejectUnauthorized: false });

for (const [way, upstream] of upstreams) {
  describe(`nginx in front of us, over ${way}`, { skip: requires("nginx") }, () => {
    const through = (
      test: Cleanup,
      options: StreamOptions,
      use: (url: string, nginx: Daemon) => Promise<void>,
    ): Promise<void> =>
      upstream(options, async (url) => {
        const nginx = await startNginx(test, url);
        await use(`wss://127.0.0.1:${nginx.port}/`, nginx);
      });

    for (const [name, connect] of clients) {
      it(`${name}: messages of all kinds, and the client's close`, async (t) => {
        const closed = closes();
        await through(t, { ...echo, ...closed.options }, async (url) => {
          await converse(connect(url));
          assert.deepEqual(await closed.next, { code: 4321, reason: "done", clean: true });
        });
      });

      it(`${name}: the server's close`, async (t) => {
        const closed = closes();
        const bye: StreamOptions = { message: (ws) => void ws.close({ code: 4000, reason: "bye" }) };
        await through(t, { ...bye, ...closed.options }, async (url) => {
          const client = connect(url);
          await opened(client);
          const seen = closing(client);
          client.send("enough?");
          assert.deepEqual(await seen, { code: 4000, reason: "bye", wasClean: true });
          // The client's answer; whether it repeats the reason is its own affair.
          const { code, clean } = await closed.next;
          assert.deepEqual({ code, clean }, { code: 4000, clean: true });
        });
      });

      it(`${name}: a violation's code comes through, and the reason`, async (t) => {
        await through(t, { ...echo, maxMessageSize: 10 }, async (url) => {
          const client = connect(url);
          await opened(client);
          const seen = closing(client);
          client.send("eleven bytes");
          const { code, reason } = await seen;
          assert.equal(code, 1009);
          assert.match(reason, /^The WebSocket message is larger than maxMessageSize, \d+ bytes: it has 12 or more$/);
        });
      });

      it(`${name}: both sides are told when nginx is killed`, async (t) => {
        const closed = closes();
        await through(t, { ...echo, ...closed.options }, async (url, nginx) => {
          const client = connect(url);
          await opened(client);
          const echoed = messages(client, 1);
          client.send("there?");
          assert.deepEqual(await echoed, ["there?"]);
          const seen = closing(client);
          await nginx.stop();
          assert.deepEqual(await closed.next, { code: 1006, reason: "", clean: false });
          assert.equal((await seen).code, 1006);
        });
      });
    }

    it("subprotocol and pings come through", async (t) => {
      const pings: string[] = [];
      const options: StreamOptions = {
        upgrade: ({ headers }) => ({ protocol: /two/.exec(headers.get("Sec-WebSocket-Protocol")!)?.[0] }),
        control: (_, kind, payload) => pings.push(`${kind} ${String(Buffer.from(payload))}`),
        open: (ws) => ws.ping("a"),
      };
      await through(t, options, async (url) => {
        const ws = new WsWebSocket(url, ["one", "two"], { rejectUnauthorized: false });
        const pinged = once(ws, "ping");
        await once(ws, "open");
        assert.equal(ws.protocol, "two");
        assert.equal(String((await pinged)[0]), "a");
        ws.ping("b");
        assert.equal(String((await once(ws, "pong"))[0]), "b");
        assert.deepEqual(pings.toSorted(), ["ping b", "pong a"]);
        ws.terminate();
      });
    });

    it("a refusal comes through, with its body", async (t) => {
      const options: StreamOptions = {
        ...echo,
        upgrade: () => new Response({ status: 403, body: "not you\n", headers: [["X-Why", "because"]] }),
      };
      await through(t, options, async (url) => {
        const ws = trusting(url);
        ws.on("error", () => {});
        const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
        assert.deepEqual([response.statusCode, response.headers["x-why"]], [403, "because"]);
        assert.equal(await text(response), "not you\n");
        ws.terminate();
      });
    });

    it("a server that writes waits for a client that does not read, and everything arrives", async (t) => {
      const size = 1_000_000;
      const count = 64;
      let written = 0;
      let most = 0;
      const write = async (ws: Stream): Promise<void> => {
        for (let i = 0; i < count; i++) {
          await ws.write(new Uint8Array(size).fill(i));
          most = Math.max(most, ws.bufferedAmount);
          written++;
        }
      };
      await through(t, { open: (ws) => void write(ws) }, async (url) => {
        const ws = trusting(url);
        await once(ws, "open");
        let received = 0;
        let lead = 0;
        await new Promise<void>((resolve, reject) => {
          ws.on("close", reject);
          ws.on("message", (data: Buffer) => {
            if (data.length !== size || data[0] !== received || data[size - 1] !== received) reject(new Error("wrong"));
            received++;
            lead = Math.max(lead, written - received);
            if (received === count) resolve();
            // One message for a turn of the event loop, in which the server could write many.
            ws.pause();
            setImmediate(() => ws.resume());
          });
        });
        // What the kernel and nginx hold is theirs; what we hold is what `write` has promised.
        assert.ok(lead < count / 2, `${lead} messages ahead`);
        assert.ok(most < 64 * 1024, `${most} bytes held behind a write`);
        ws.terminate();
      });
    });

    it("a client that writes waits for a handler that is slow, and everything arrives", async (t) => {
      const size = 1_000_000;
      const count = 32;
      const seen: number[] = [];
      let pauses = 0;
      let done!: () => void;
      const all = new Promise<void>((resolve) => (done = resolve));
      const options: StreamOptions = {
        message: async (ws, message) => {
          seen.push((message as Uint8Array)[size - 1]!);
          await new Promise((resolve) => setImmediate(resolve));
          ({ pauses } = ws.stats());
          if (seen.length === count) done();
        },
      };
      await through(t, options, async (url) => {
        const ws = trusting(url);
        await once(ws, "open");
        for (let i = 0; i < count; i++) ws.send(new Uint8Array(size).fill(i));
        await all;
        assert.deepEqual(
          seen,
          Array.from({ length: count }, (_, i) => i),
        );
        assert.ok(pauses >= count / 2, `${pauses} pauses`);
        ws.terminate();
      });
    });
  });
}

describe("nginx between our client and ws", { skip: requires("nginx") }, () => {
  const [, connectOurs] = clients.find(([name]) => name === "our client")!;
  for (const [name, compression] of [
    ["without compression", false],
    ["with compression on ws's side, which we don't ask for", true],
  ] as const) {
    it(`messages of all kinds, and our close, ${name}`, async (t) => {
      await using server = await WsEcho.listen(compression);
      const nginx = await startNginx(t, `http://127.0.0.1:${server.port}`);
      await converse(connectOurs(`wss://127.0.0.1:${nginx.port}/`));
    });
  }

  it("our client is told when nginx is killed", async (t) => {
    await using server = await WsEcho.listen();
    const nginx = await startNginx(t, `http://127.0.0.1:${server.port}`);
    const client = connectOurs(`wss://127.0.0.1:${nginx.port}/`);
    await opened(client);
    const seen = closing(client);
    await nginx.stop();
    assert.deepEqual(await seen, { code: 1006, reason: "", wasClean: false });
  });
});

describe("nginx in front of us", { skip: requires("nginx") }, () => {
  it("passes plain requests on", async (t) => {
    await using server = await serve({
      port: 0,
      host: "127.0.0.1",
      ...echo,
      fetch: () => new globalThis.Response("plain\n"),
    });
    const nginx = await startNginx(t, server.url);
    const get = request({ port: nginx.port, host: "127.0.0.1", rejectUnauthorized: false, path: "/a" }).end();
    const [response] = (await once(get, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    assert.equal(await text(response), "plain\n");
  });

  it("lets compression through", async (t) => {
    const ratios: (number | undefined)[] = [];
    await using server = await serve({
      port: 0,
      host: "127.0.0.1",
      ...echo,
      deflate: { threshold: 0, serverNoContextTakeover: false, clientNoContextTakeover: false },
      close: (ws) => ratios.push(ws.stats().compressionReceived, ws.stats().compressionSent),
    });
    const nginx = await startNginx(t, server.url);
    const client = new WsWebSocket(`wss://127.0.0.1:${nginx.port}/`, {
      rejectUnauthorized: false,
      perMessageDeflate: { threshold: 0 },
    });
    await converse(client as unknown as Client);
    assert.match(client.extensions, /permessage-deflate/);
    await server.close();
    assert.ok(ratios.length === 2 && ratios.every((ratio) => ratio !== undefined && ratio < 0.9), ratios.join());
  });

  it("answers 502 when the server is down, and the next connection works when it is back", async (t) => {
    await withPath(async (path) => {
      const nginx = await startNginx(t, `http://unix:${path}`);
      const url = `wss://127.0.0.1:${nginx.port}/`;
      const absent = trusting(url);
      absent.on("error", () => {});
      const [, response] = (await once(absent, "unexpected-response")) as [unknown, IncomingMessage];
      assert.equal(response.statusCode, 502);
      absent.terminate();
      await using _server = await serve({ unix: path, ...echo });
      await converse(trusting(url) as unknown as Client, ["back"]);
    });
  });
});
