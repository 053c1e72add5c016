// Real proxies: Debian's tinyproxy and microsocks, and one of ours behind TLS, which they don't speak.
import assert from "node:assert/strict";
import type * as http from "node:http";
import * as https from "node:https";
import { connect as connectSocket, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect, type ConnectOptions } from "../../src/client/index.ts";
import type { ServalError } from "../../src/core/index.ts";
import { scrubReads } from "../../src/net/onread.ts";
import { localhost } from "../support/localhost.ts";
import { requires, startDaemon, type Cleanup, type Daemon } from "../support/programs.ts";
import { converse, failure, trusting } from "./support/kit.ts";
import { echoing, listening, type Listening } from "./support/servers.ts";

scrubReads(true);

/** The daemons live as long as the file's tests. */
const cleaning: (() => Promise<void>)[] = [];
const cleanup: Cleanup = { after: (clean) => void cleaning.push(clean) };

/** An HTTP proxy with TLS in front, of node:http; with what it was asked for. */
async function secureProxy(asked: http.IncomingMessage[]): Promise<Listening> {
  const server = https.createServer(localhost);
  server.on("connect", (request, socket, head) => {
    asked.push(request);
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward: Socket = connectSocket(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [
      [onward, socket],
      [socket, onward],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  return listening(server);
}

describe("connect, through proxies", () => {
  const places = {} as Record<"ws" | "wss", Listening>;

  before(async () => {
    places.ws = await echoing();
    places.wss = await echoing({ secure: true });
  });
  after(async () => {
    for (const clean of cleaning) await clean();
    for (const place of Object.values(places)) await place[Symbol.asyncDispose]();
  });

  /** Talks to a server through the proxy: text, and some bytes both ways. */
  async function converses(scheme: "ws" | "wss", proxy: string, options: ConnectOptions = {}): Promise<void> {
    // The proxies look up nothing but what is in /etc/hosts.
    const url = `${scheme}://localhost:${places[scheme].port}/`;
    await converse(await connect(url, { ...trusting, ...options, proxy }));
    const asked = places[scheme].asked.at(-1)!;
    assert.equal(asked.fields["proxy-authorization"], undefined);
    // Not the proxy's name.
    assert.equal(asked.serverName, scheme === "wss" ? "localhost" : undefined);
  }

  function refusal(proxy: string, url = `ws://localhost:${places.ws.port}/`): Promise<ServalError> {
    return failure(connect(url, { proxy }));
  }

  describe("tinyproxy", { skip: requires("tinyproxy") }, () => {
    let open: Daemon;
    let guarded: Daemon;
    before(async () => {
      const start = (more: string): Promise<Daemon> =>
        startDaemon(cleanup, "tinyproxy", {
          args: ({ folder }) => ["-d", "-c", `${folder}/tinyproxy.conf`],
          files: ({ port }) => ({
            "tinyproxy.conf": `Port ${port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Error\n${more}`,
          }),
        });
      open = await start(
        "ConnectPort 1\n" + [places.ws.port, places.wss.port].map((port) => `ConnectPort ${port}\n`).join(""),
      );
      guarded = await start("BasicAuth ada opensesame\n");
    });

    for (const scheme of ["ws", "wss"] as const) {
      it(`carries ${scheme}:, with and without a user and password`, async () => {
        await converses(scheme, `http://127.0.0.1:${open.port}`);
        await converses(scheme, `http://ada:opensesame@localhost:${guarded.port}/`);
      });
    }

    it("is found through the environment, unless the host is an exception", async (test) => {
      const { ...saved } = process.env;
      test.after(() => {
        process.env = saved;
      });
      process.env["WSS_PROXY"] = `http://ada:opensesame@127.0.0.1:${guarded.port}`;
      process.env["NO_PROXY"] = "";
      await converses("wss", "environment");
      process.env["WSS_PROXY"] = "http://127.0.0.1:1";
      const url = `wss://localhost:${places.wss.port}/`;
      await assert.rejects(connect(url, { ...trusting, proxy: "environment" }), { code: "net.connection_refused" });
      process.env["NO_PROXY"] = "localhost";
      await converses("wss", "environment");
    });

    it("refuses with its response", async () => {
      const nobody = await refusal(`http://127.0.0.1:${guarded.port}`);
      assert.deepEqual([nobody.code, nobody.response?.status], ["client.proxy_refused", 407]);
      assert.match(nobody.response!.fields.get("Proxy-Authenticate")!, /^Basic/);
      const wrong = await refusal(`http://ada:sesame@127.0.0.1:${guarded.port}`);
      assert.equal(wrong.code, "client.proxy_refused");
      const port = await refusal(`http://127.0.0.1:${open.port}`, "ws://localhost:2/");
      assert.deepEqual([port.code, port.response?.status], ["client.proxy_refused", 403]);
      const unreachable = await refusal(`http://127.0.0.1:${open.port}`, "ws://localhost:1/");
      assert.equal(unreachable.code, "client.proxy_refused");
      assert.ok(unreachable.response!.status >= 500, String(unreachable.response!.status));
    });
  });

  describe("microsocks", { skip: requires("microsocks") }, () => {
    let open: Daemon;
    let guarded: Daemon;
    before(async () => {
      const start = (...more: string[]): Promise<Daemon> =>
        startDaemon(cleanup, "microsocks", {
          args: ({ port }) => ["-i", "127.0.0.1", "-p", String(port), ...more],
        });
      open = await start();
      guarded = await start("-u", "ada", "-P", "opensesame");
    });

    for (const scheme of ["ws", "wss"] as const) {
      for (const socks of ["socks5", "socks5h"]) {
        it(`carries ${scheme}:, with and without a user and password, as ${socks}:`, async () => {
          await converses(scheme, `${socks}://127.0.0.1:${open.port}`, { family: 4 });
          await converses(scheme, `${socks}://ada:opensesame@127.0.0.1:${guarded.port}`, { family: 4 });
        });
      }
    }

    it("refuses, and says why", async () => {
      const nobody = await refusal(`socks5h://127.0.0.1:${guarded.port}`);
      assert.equal(nobody.code, "client.proxy_refused");
      const wrong = await refusal(`socks5h://ada:sesame@127.0.0.1:${guarded.port}`);
      assert.equal(wrong.code, "client.proxy_refused");
      assert.match(wrong.message, /Authentication failed/);
      const unreachable = await refusal(`socks5h://127.0.0.1:${open.port}`, "ws://localhost:1/");
      assert.equal(unreachable.code, "client.proxy_refused");
      assert.match(unreachable.message, /ConnectionRefused/);
    });
  });

  describe("a proxy behind TLS", () => {
    for (const scheme of ["ws", "wss"] as const) {
      it(`carries ${scheme}:, TLS within TLS where that is asked for`, async () => {
        const asked: http.IncomingMessage[] = [];
        await using proxy = await secureProxy(asked);
        await converses(scheme, `https://ada:opensesame@localhost:${proxy.port}`, { proxyTls: trusting.tls });
        assert.equal(asked[0]?.url, `localhost:${places[scheme].port}`);
        assert.equal(asked[0].headers["proxy-authorization"], `Basic ${btoa("ada:opensesame")}`);
      });
    }

    it("must have a certificate that proxyTls accepts: tls is for the server alone", async () => {
      const asked: http.IncomingMessage[] = [];
      await using proxy = await secureProxy(asked);
      const url = `wss://localhost:${places.wss.port}/`;
      const options = { tls: { rejectUnauthorized: false }, proxy: `https://ada:opensesame@localhost:${proxy.port}` };
      await assert.rejects(connect(url, options), { code: "net.bad_certificate" });
      assert.deepEqual(asked, []);
    });
  });

  it("fails where the proxy is not there", async () => {
    for (const scheme of ["http", "https", "socks5h"]) {
      const error = await refusal(`${scheme}://ada:sesame@127.0.0.1:1`);
      assert.equal(error.code, "net.connection_refused");
      assert.match(error.message, /127\.0\.0\.1:1/);
    }
  });
});
