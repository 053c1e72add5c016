// Our client through real proxies: tinyproxy and microsocks.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { trusting } from "../client/support/kit.ts";
import { Proxied } from "../client/support/proxied.ts";
import { requires, startDaemon, type Cleanup, type Daemon } from "../support/programs.ts";

scrubReads(true);

/** The daemons live as long as the file's tests. */
const cleaning: (() => Promise<void>)[] = [];
const cleanup: Cleanup = { after: (clean) => void cleaning.push(clean) };

describe("connect, through proxies", () => {
  let servers: Proxied;
  before(async () => {
    servers = await Proxied.start();
  });
  after(async () => {
    for (const clean of cleaning) await clean();
    await servers[Symbol.asyncDispose]();
  });

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
        "ConnectPort 1\n" +
          [servers.places.ws.port, servers.places.wss.port].map((port) => `ConnectPort ${port}\n`).join(""),
      );
      guarded = await start("BasicAuth ada opensesame\n");
    });

    for (const scheme of ["ws", "wss"] as const) {
      it(`carries ${scheme}:, with and without a user and password`, async () => {
        await servers.converses(scheme, `http://127.0.0.1:${open.port}`);
        await servers.converses(scheme, `http://ada:opensesame@localhost:${guarded.port}/`);
      });
    }

    it("is found through the environment, unless the host is an exception", async (test) => {
      const { ...saved } = process.env;
      test.after(() => {
        process.env = saved;
      });
      process.env["WSS_PROXY"] = `http://ada:opensesame@127.0.0.1:${guarded.port}`;
      process.env["NO_PROXY"] = "";
      await servers.converses("wss", "environment");
      process.env["WSS_PROXY"] = "http://127.0.0.1:1";
      const url = `wss://localhost:${servers.places.wss.port}/`;
      await assert.rejects(connect(url, { ...trusting, proxy: "environment" }), { code: "net.connection_refused" });
      process.env["NO_PROXY"] = "localhost";
      await servers.converses("wss", "environment");
    });

    it("refuses with its response", async () => {
      const nobody = await servers.refusal(`http://127.0.0.1:${guarded.port}`);
      assert.deepEqual([nobody.code, nobody.response?.status], ["client.proxy_refused", 407]);
      assert.match(nobody.response!.headers.get("Proxy-Authenticate")!, /^Basic/);
      const wrong = await servers.refusal(`http://ada:sesame@127.0.0.1:${guarded.port}`);
      assert.equal(wrong.code, "client.proxy_refused");
      const port = await servers.refusal(`http://127.0.0.1:${open.port}`, "ws://localhost:2/");
      assert.deepEqual([port.code, port.response?.status], ["client.proxy_refused", 403]);
      const unreachable = await servers.refusal(`http://127.0.0.1:${open.port}`, "ws://localhost:1/");
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
          await servers.converses(scheme, `${socks}://127.0.0.1:${open.port}`, { family: 4 });
          await servers.converses(scheme, `${socks}://ada:opensesame@127.0.0.1:${guarded.port}`, { family: 4 });
        });
      }
    }

    it("refuses, and says why", async () => {
      const nobody = await servers.refusal(`socks5h://127.0.0.1:${guarded.port}`);
      assert.equal(nobody.code, "client.proxy_refused");
      const wrong = await servers.refusal(`socks5h://ada:sesame@127.0.0.1:${guarded.port}`);
      assert.equal(wrong.code, "client.proxy_refused");
      assert.match(wrong.message, /Authentication failed/);
      const unreachable = await servers.refusal(`socks5h://127.0.0.1:${open.port}`, "ws://localhost:1/");
      assert.equal(unreachable.code, "client.proxy_refused");
      assert.match(unreachable.message, /ConnectionRefused/);
    });
  });
});
