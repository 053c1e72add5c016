import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { describe, it } from "node:test";
import { text } from "node:stream/consumers";
import { WebSocket } from "ws";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { serve, type ServeOptions, type Server } from "../../src/server/index.ts";
import { requires } from "../support/programs.ts";
import {
  blocks,
  haproxy,
  haproxyTcp,
  nginx,
  nginxStream,
  proxies,
  replaced,
  trusting,
} from "./support/documented-proxies.ts";

// The configurations of docs/behind-a-proxy.md, run as they stand but for ports and paths, with what the page promises of
// them; and the mistakes that it warns of, with what it says is seen then.
scrubReads(true);

/** Clients have another address than proxies, so that it shows which one is meant. */
const clientAddress = "127.0.0.2";

const listening = (options: ServeOptions): Promise<Server> =>
  serve({
    host: "127.0.0.1",
    message: (ws, message) => ws.write(`${ws.peer?.address}: ${message}`),
    fetch: (_, { peer }) => new Response(`${peer?.address}\n`),
    ...options,
  });

const connect = (port: number, headers: Record<string, string> = {}): WebSocket => {
  const ws = new WebSocket(`wss://127.0.0.1:${port}/`, {
    rejectUnauthorized: false,
    localAddress: clientAddress,
    headers,
  });
  // What goes wrong is asked for by what follows.
  ws.on("error", () => {});
  return ws;
};

async function answerTo(ws: WebSocket, message: string): Promise<string> {
  if (ws.readyState !== ws.OPEN) await once(ws, "open");
  ws.send(message);
  return String(((await once(ws, "message")) as [Buffer])[0]);
}

/** Why a WebSocket was refused. */
async function refusal(ws: WebSocket): Promise<{ status: number | undefined; body: string }> {
  const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

async function pageOf(port: number, headers: Record<string, string> = {}): Promise<[number | undefined, string]> {
  const options = { host: "127.0.0.1", port, localAddress: clientAddress, rejectUnauthorized: false, headers };
  const [response] = (await once(get(options), "response")) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

it("the page has the configurations that are run here", () => {
  assert.deepEqual([...blocks.keys()].toSorted(), ["haproxy", "haproxy tcp", "nginx", "nginx stream"]);
});

for (const proxy of proxies) {
  const { options, patience, isHttp, start } = proxy;

  describe(`behind ${proxy.name}`, { skip: requires(...proxy.needs) }, () => {
    it("messages come through, and the client is known", async (t) => {
      await using server = await listening(options);
      const { port } = await start(t, [server]);
      const ws = connect(port);
      assert.equal(await answerTo(ws, "hello"), `${clientAddress}: hello`);
      ws.close(4321, "done");
      assert.equal((await once(ws, "close"))[0], 4321);
      assert.deepEqual(await pageOf(port), [200, `${clientAddress}\n`]);
    });

    it("no client can pass for another", async (t) => {
      await using server = await listening(options);
      const { port } = await start(t, [server]);
      const forged = { "X-Forwarded-For": "203.0.113.7", Forwarded: "for=203.0.113.7" };
      const ws = connect(port, forged);
      assert.equal(await answerTo(ws, "hello"), `${clientAddress}: hello`);
      ws.terminate();
      assert.deepEqual(await pageOf(port, forged), [200, `${clientAddress}\n`]);
    });

    it("pages of the site may connect, others get 403", async (t) => {
      await using server = await listening(options);
      const { port } = await start(t, [server]);
      const ws = connect(port, { Origin: `https://127.0.0.1:${port}` });
      assert.equal(await answerTo(ws, "hello"), `${clientAddress}: hello`);
      ws.terminate();
      assert.equal((await refusal(connect(port, { Origin: "https://evil.example" }))).status, 403);
      assert.equal(server.stats().refused.origins, 1);
    });

    it("our pings keep a silent connection alive through the proxy", async (t) => {
      await using server = await listening({ ...options, timeouts: { idle: 2_000 } });
      const { port } = await start(t, [server], (written) => replaced(written, ...patience));
      const ws = connect(port);
      // The fourth, at the earliest, comes behind twice the time that the proxy waits.
      for (let pings = 0; pings < 4; pings++) await once(ws, "ping");
      assert.equal(await answerTo(ws, "still there"), `${clientAddress}: still there`);
      ws.terminate();
    });

    it("without pings, it ends with 1006", async (t) => {
      await using server = await listening({ ...options, timeouts: { idle: Infinity } });
      const { port } = await start(t, [server], (written) => replaced(written, ...patience));
      assert.equal((await once(connect(port), "close"))[0], 1006);
    });

    it("a server that drains closes its WebSockets, and the other one takes new ones", async (t) => {
      const named = (name: string): Promise<Server> => listening({ ...options, message: (ws) => ws.write(name) });
      await using one = await named("one");
      await using two = await named("two");
      const { port } = await start(t, [one, two]);
      const first = connect(port);
      const name = await answerTo(first, "who are you?");
      const [leaving, staying] = name === "one" ? [one, "two"] : [two, "one"];
      const closed = once(first, "close");
      const { closed: clean } = await leaving.drain({ code: 1012, reason: "restarting" });
      const [code, reason] = (await closed) as [number, Buffer];
      assert.deepEqual([clean, code, String(reason)], [1, 1012, "restarting"]);
      for (let i = 0; i < 4; i++) {
        const next = connect(port);
        assert.equal(await answerTo(next, "who are you?"), staying);
        next.terminate();
      }
    });

    if (isHttp) {
      it("says so when there is no server", async (t) => {
        const server = await listening(options);
        const { port } = await start(t, [server]);
        await server.close();
        const { status } = await refusal(connect(port));
        assert.equal(status, proxy === nginx ? 502 : 503);
      });
    }
  });
}

for (const { name, needs, options, start } of [nginx, nginxStream]) {
  describe(`${name} without health checks`, { skip: requires(...needs) }, () => {
    it("uses a server again as soon as it listens", async (t) => {
      const named = (answer: string, port = 0): Promise<Server> =>
        listening({ ...options, port, message: (ws) => ws.write(answer) });
      const one = await named("one");
      await using two = await named("two");
      const { port } = await start(t, [one, two]);
      const isAnsweredBy = async (expected: string): Promise<void> => {
        for (let i = 0; i < 4; i++) {
          const ws = connect(port);
          assert.equal(await answerTo(ws, "who are you?"), expected);
          ws.terminate();
        }
      };
      await one.drain();
      await isAnsweredBy("two");
      await using _again = await named("one again", one.port);
      await two.drain();
      await isAnsweredBy("one again");
    });
  });
}

describe("mistakes with nginx", { skip: requires("nginx") }, () => {
  const mistakes: readonly [name: string, change: [RegExp, string][], status: number, body: RegExp][] = [
    ["no HTTP/1.1", [[/proxy_http_version 1.1;/, ""]], 400, /^The WebSocket handshake was not HTTP\/1\.1/],
    [
      "no Upgrade and Connection",
      [
        [/proxy_set_header Upgrade .*;/, ""],
        [/proxy_set_header Connection .*;/, ""],
      ],
      400,
      /Connection header (is missing|lacks upgrade)/,
    ],
    ["no Host", [[/proxy_set_header Host .*;/, ""]], 403, /^Pages of the origin .* may not connect/],
    ["Host without its port", [[/\$http_host/, "$host"]], 403, /^Pages of the origin .* may not connect/],
  ];
  for (const [name, changes, status, body] of mistakes) {
    it(name, async (t) => {
      await using server = await listening(trusting);
      const { port } = await nginx.start(t, [server], (written) =>
        changes.reduce((block, change) => replaced(block, ...change), written),
      );
      const refused = await refusal(connect(port, { Origin: `https://127.0.0.1:${port}` }));
      assert.equal(refused.status, status);
      assert.match(refused.body, body);
    });
  }

  it("a PROXY header is expected, and none is sent", async (t) => {
    await using server = await listening({ proxyProtocol: true });
    const { port } = await nginx.start(t, [server]);
    assert.equal((await refusal(connect(port))).status, 502);
  });

  it("the client is the proxy if that is not trusted", async (t) => {
    await using server = await listening({});
    const { port } = await nginx.start(t, [server]);
    const ws = connect(port);
    assert.equal(await answerTo(ws, "hello"), "127.0.0.1: hello");
    ws.terminate();
  });

  it("the client can choose its address if more than the proxy is trusted", async (t) => {
    await using server = await listening({ proxies: { trusted: ["127.0.0.0/8"] } });
    const { port } = await nginx.start(t, [server]);
    const ws = connect(port, { "X-Forwarded-For": "203.0.113.7" });
    assert.equal(await answerTo(ws, "hello"), "203.0.113.7: hello");
    ws.terminate();
  });
});

describe("mistakes with haproxy", { skip: requires("haproxy") }, () => {
  const plainly = (port: number): WebSocket => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`);
    ws.on("error", () => {});
    return ws;
  };

  it("a PROXY header is sent, and none expected", async (t) => {
    const server = await listening({});
    const { port } = await haproxyTcp.start(t, [server]);
    assert.equal((await refusal(plainly(port))).status, 400);
    // A connection counts when it has ended.
    await server.close();
    const { errors } = server.stats();
    assert.ok((errors["http.bad_method"] ?? 0) > 0, JSON.stringify(errors));
  });

  it("TLS is passed on, and none expected", async (t) => {
    const server = await listening({});
    const { port } = await haproxyTcp.start(t, [server], (written) => written.replaceAll(" send-proxy-v2", ""));
    const ws = connect(port);
    await new Promise((resolve) => ws.on("close", resolve));
    await server.close();
    const { errors } = server.stats();
    assert.ok((errors["http.bad_method"] ?? 0) > 0, JSON.stringify(errors));
  });

  it("a PROXY header is expected, and none is sent", async (t) => {
    await using server = await listening({ proxyProtocol: true });
    const { port } = await haproxy.start(t, [server], (written) => written.replaceAll(/ check .*/g, ""));
    assert.equal((await refusal(connect(port))).status, 502);
  });
});

describe("haproxy's checks", { skip: requires("haproxy") }, () => {
  it("take out a server that says that it is leaving", async (t) => {
    let checks = 0;
    let checkedTwice!: () => void;
    // Before the second check haproxy has dealt with the first.
    const isOut = new Promise<void>((resolve) => (checkedTwice = resolve));
    await using leaving = await listening({
      ...trusting,
      message: (ws) => ws.write("leaving"),
      fetch(request) {
        if (new URL(request.url).pathname === "/health" && ++checks === 2) checkedTwice();
        return new Response(null, { status: 503 });
      },
    });
    await using staying = await listening({ ...trusting, message: (ws) => ws.write("staying") });
    const { port } = await haproxy.start(t, [leaving, staying], (written) =>
      replaced(written, "inter 2s fall 3", "inter 500ms fall 1"),
    );
    await isOut;
    for (let i = 0; i < 4; i++) {
      const ws = connect(port);
      assert.equal(await answerTo(ws, "who are you?"), "staying");
      ws.terminate();
    }
  });
});
