// A proxy of ours behind TLS, which the real ones of test/interop/proxies.test.ts don't speak.
import assert from "node:assert/strict";
import type * as http from "node:http";
import * as https from "node:https";
import { connect as connectSocket, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { localhost } from "../support/localhost.ts";
import { trusting } from "./support/kit.ts";
import { Proxied } from "./support/proxied.ts";
import { listening, type Listening } from "../support/listening.ts";

scrubReads(true);

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
  let servers: Proxied;
  before(async () => {
    servers = await Proxied.start();
  });
  after(() => servers[Symbol.asyncDispose]());

  describe("an https: proxy", () => {
    for (const scheme of ["ws", "wss"] as const) {
      it(`carries ${scheme}:, with TLS within TLS for wss:`, async () => {
        const asked: http.IncomingMessage[] = [];
        await using proxy = await secureProxy(asked);
        await servers.converses(scheme, `https://ada:opensesame@localhost:${proxy.port}`, { proxyTls: trusting.tls });
        assert.equal(asked[0]?.url, `localhost:${servers.places[scheme].port}`);
        assert.equal(asked[0].headers["proxy-authorization"], `Basic ${btoa("ada:opensesame")}`);
      });
    }

    it("needs a certificate that proxyTls accepts; tls is only for the server", async () => {
      const asked: http.IncomingMessage[] = [];
      await using proxy = await secureProxy(asked);
      const url = `wss://localhost:${servers.places.wss.port}/`;
      const options = { tls: { rejectUnauthorized: false }, proxy: `https://ada:opensesame@localhost:${proxy.port}` };
      await assert.rejects(connect(url, options), { code: "net.bad_certificate" });
      assert.deepEqual(asked, []);
    });
  });

  it("fails if the proxy does not listen", async () => {
    for (const scheme of ["http", "https", "socks5h"]) {
      const error = await servers.refusal(`${scheme}://ada:sesame@127.0.0.1:1`);
      assert.equal(error.code, "net.connection_refused");
      assert.match(error.message, /127\.0\.0\.1:1/);
    }
  });
});
