import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTls, createSecureContext } from "node:tls";
import { describe, test } from "node:test";
import type { AcceptTlsOptions } from "../../src/net/index.ts";
import type { ServeOptions, Server } from "../../src/server/index.ts";
import { Opening } from "../../src/server/opening.ts";
import { localhost, renewed } from "../support/localhost.ts";
import { requestBytes } from "../websocket/support/requests.ts";
import { until } from "../support/until.ts";
import { dial, dialTls, serving, type Dialed } from "./support/sockets.ts";

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const proxied = "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n";

/** Says whom each request comes from. */
const telling: ServeOptions = {
  fetch: (_, { peer }) => new Response(`from ${peer?.address} ${peer?.port === 4711 ? 4711 : "of its own"}`),
  message: () => {},
};

async function ask(dialed: Dialed): Promise<string> {
  dialed.socket.write(get);
  await until(() => / (of its own|4711)$/.test(dialed.received));
  return /from .*$/.exec(dialed.received)![0];
}

test("TLS, and plain if allowed, on one port", async () => {
  await serving({ ...telling, tls: localhost, plain: true }, async (server) => {
    assert.match(server.url, /^https:/);
    const [secure, plain] = [await dialTls(server), await dial(server)];
    assert.equal(secure.subject, "localhost");
    assert.equal(await ask(secure), "from 127.0.0.1 of its own");
    assert.equal(await ask(plain), "from 127.0.0.1 of its own");
    assert.deepEqual([server.connections, server.stats().accepted], [2, 2]);
  });
});

/** The protocol that a server selects of a client's offers; false for none, or the code of the alert. */
async function selected(server: Server, ALPNProtocols: string[] | undefined): Promise<unknown> {
  const socket = connectTls({
    port: server.port!,
    host: "127.0.0.1",
    ca: localhost.cert,
    servername: "localhost",
    ALPNProtocols,
  });
  try {
    await once(socket, "secureConnect");
    return socket.alpnProtocol;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    socket.destroy();
  }
}

const alert = "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL";

test("http/1.1 is selected, also beside plain connections and after setSecureContext; a client that offers only others is refused", async () => {
  for (const plain of [false, true]) {
    await serving({ ...telling, tls: localhost, plain }, async (server) => {
      for (const tls of [localhost, { secureContext: createSecureContext(localhost) }]) {
        assert.equal(await selected(server, ["h2", "http/1.1"]), "http/1.1");
        assert.equal(await selected(server, undefined), false);
        assert.equal(await selected(server, ["h2"]), alert);
        server.setSecureContext(tls);
      }
      await until(() => server.stats().errors["net.tls_failed"] === 2);
    });
  }
});

test("ALPNProtocols and ALPNCallback of the application select instead", async (t) => {
  const report = t.mock.method(console, "error", () => {});
  const select = async (tls: AcceptTlsOptions, offers: string[]): Promise<unknown> => {
    let result: unknown;
    await serving({ ...telling, tls: { ...localhost, ...tls } }, async (server) => {
      result = await selected(server, offers);
      // The server goes on.
      if (result === alert) assert.equal(await selected(server, undefined), false);
    });
    return result;
  };
  assert.equal(await select({ ALPNProtocols: ["acme-tls/1", "http/1.1"] }, ["acme-tls/1"]), "acme-tls/1");
  assert.equal(await select({ ALPNProtocols: ["mine"] }, ["http/1.1"]), alert);
  assert.equal(await select({ ALPNCallback: ({ protocols }) => protocols.at(-1) }, ["http/1.1", "mine"]), "mine");
  assert.equal(await select({ ALPNCallback: () => undefined }, ["http/1.1"]), alert);
  assert.equal(report.mock.callCount(), 0);
  // A client can cause these, so they end only its own connection.
  assert.equal(await select({ ALPNCallback: () => "other" }, ["http/1.1"]), alert);
  const failing = (): never => {
    throw new Error("mine");
  };
  assert.equal(await select({ ALPNCallback: failing }, ["http/1.1"]), alert);
  assert.equal(report.mock.callCount(), 2);
});

test("plain bytes to a TLS server are a failure that is counted, and end the connection", async () => {
  await serving({ ...telling, tls: localhost }, async (server, clock) => {
    const { closed } = await dial(server, get);
    await closed;
    await until(() => server.connections === 0);
    assert.deepEqual(server.stats().errors, { "net.tls_failed": 1 });
    assert.equal(clock.pending, 0);
  });
});

test("a PROXY header names the client, required or optional", async () => {
  for (const proxyProtocol of [true, "optional"] as const) {
    await serving({ ...telling, proxyProtocol }, async (server) => {
      const dialed = await dial(server, proxied);
      assert.equal(await ask(dialed), "from 192.0.2.1 4711");
      const local = await dial(server, "PROXY UNKNOWN\r\n");
      assert.equal(await ask(local), "from 127.0.0.1 of its own");
    });
  }
});

test("without a header a connection is refused if one is required; otherwise the client is the peer", async () => {
  await serving({ ...telling, proxyProtocol: true }, async (server) => {
    const { closed } = await dial(server, get);
    await closed;
    await until(() => server.connections === 0);
    assert.deepEqual(server.stats().errors, { "net.no_proxy_header": 1 });
  });
  await serving({ ...telling, proxyProtocol: "optional" }, async (server) => {
    assert.equal(await ask(await dial(server)), "from 127.0.0.1 of its own");
  });
});

test("a malformed header is a failure that is counted", async () => {
  await serving({ ...telling, proxyProtocol: "optional" }, async (server) => {
    const { closed } = await dial(server, "PROXY TCP4 192.0.2.1\r\n");
    await closed;
    await until(() => server.connections === 0);
    assert.deepEqual(server.stats().errors, { "net.bad_proxy_header": 1 });
  });
});

test("TLS, or plain, after a PROXY header, or without", async () => {
  await serving({ ...telling, proxyProtocol: "optional", tls: localhost, plain: true }, async (server) => {
    const stacked = await dial(server, proxied);
    const secure = await dialTls(server, stacked.socket);
    assert.equal(await ask(secure), "from 192.0.2.1 4711");
    const proxiedOnly = await dial(server, proxied);
    assert.equal(await ask(proxiedOnly), "from 192.0.2.1 4711");
    assert.equal(await ask(await dialTls(server)), "from 127.0.0.1 of its own");
    assert.equal(await ask(await dial(server)), "from 127.0.0.1 of its own");
  });
});

describe("a connection that stalls is ended at timeouts.handshake, and counted once", () => {
  const hello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
  for (const [what, options, bytes] of [
    ["says nothing to TLS", { tls: localhost }, ""],
    ["says nothing to TLS or plain", { tls: localhost, plain: true }, ""],
    ["says one byte of a ClientHello", { tls: localhost, plain: true }, hello.subarray(0, 1)],
    ["says half a ClientHello", { tls: localhost }, hello],
    ["says half a ClientHello, to TLS or plain", { tls: localhost, plain: true }, hello],
    ["says nothing of a PROXY header", { proxyProtocol: true }, ""],
    ["may say nothing of a PROXY header", { proxyProtocol: "optional" }, ""],
    ["says half a PROXY header", { proxyProtocol: true }, "PROXY TCP4 192.0"],
    ["says half a binary one", { proxyProtocol: "optional" }, "\r\n\r\n\0\r\nQU"],
    ["says nothing behind its PROXY header", { proxyProtocol: true, tls: localhost }, proxied],
    [
      "says half a ClientHello behind its PROXY header",
      { proxyProtocol: true, tls: localhost, plain: true },
      Buffer.concat([Buffer.from(proxied), hello]),
    ],
  ] as const) {
    test(`one that ${what}`, async () => {
      await serving(
        { ...(options as ServeOptions), timeouts: { handshake: 1000 }, maxConnectionsPerAddress: 5 },
        async (server, clock) => {
          const { closed, socket } = await dial(server, bytes);
          await until(() => server.connections === 1 && clock.pending === 1);
          // What it has said is there.
          await until(() => socket.bytesWritten === bytes.length);
          await clock.advance(999);
          assert.equal(server.connections, 1);
          await clock.advance(1);
          await closed;
          await until(() => server.connections === 0);
          const { limits, errors } = server.stats();
          assert.deepEqual([limits["timeouts.handshake"], errors], [1, { "core.timeout": 1 }]);
          assert.equal(clock.pending, 0);
        },
      );
    });
  }

  test("there is no deadline without a limit, and the end of the server ends it too", async () => {
    await serving({ tls: localhost, timeouts: { handshake: Infinity } }, async (server, clock) => {
      const { closed } = await dial(server);
      await until(() => server.connections === 1);
      assert.equal(clock.pending, 0);
      const { finished } = await server.drain();
      await closed;
      assert.equal(finished, 1);
      assert.deepEqual(server.stats().errors, {});
    });
  });
});

test("a client that resets its connection in the handshake leaves nothing", async () => {
  await serving(
    { tls: localhost, plain: true, proxyProtocol: "optional", maxConnectionsPerAddress: 1 },
    async (server, clock) => {
      for (const bytes of ["", "PROXY ", proxied, Uint8Array.of(0x16, 3, 1)]) {
        const { socket, closed } = await dial(server, bytes);
        await until(() => server.connections === 1);
        socket.resetAndDestroy();
        await closed;
        await until(() => server.connections === 0);
        assert.equal(clock.pending, 0);
      }
      assert.equal(server.stats().refused.maxConnectionsPerAddress, 0);
    },
  );
});

describe("setSecureContext", () => {
  test("applies to new connections; open ones go on", async () => {
    await serving({ ...telling, tls: localhost }, async (server) => {
      const before = await dialTls(server);
      const ws = await dialTls(server);
      ws.socket.write(requestBytes());
      await until(() => ws.received.includes("101"));
      server.setSecureContext(renewed);
      const after = await dialTls(server);
      assert.deepEqual([before.subject, after.subject], ["localhost", "renewed"]);
      assert.equal(await ask(before), "from 127.0.0.1 of its own");
      assert.equal(await ask(after), "from 127.0.0.1 of its own");
      assert.equal(server.sockets.size, 1);
      server.setSecureContext({ secureContext: createSecureContext(localhost) });
      assert.equal((await dialTls(server)).subject, "localhost");
    });
  });

  test("applies to a handshake that begins later, also on an accepted connection", async () => {
    await serving({ ...telling, tls: localhost, plain: true }, async (server) => {
      const { socket } = await dial(server);
      await until(() => server.connections === 1);
      server.setSecureContext(renewed);
      assert.equal((await dialTls(server, socket)).subject, "renewed");
    });
  });

  test("refuses invalid options, and nothing has changed", async () => {
    await serving({ ...telling, tls: localhost }, async (server: Server) => {
      for (const wrong of [
        {},
        null,
        { cert: renewed.cert },
        { cert: renewed.cert, key: localhost.key },
        { cert: renewed.key, key: renewed.cert },
        { cert: "cert.pem", key: "key.pem" },
        { ...renewed, minVersion: "TLSv9" },
        { ...renewed, certs: "" },
        { ...renewed, ciphers: "none at all" },
      ]) {
        assert.throws(() => server.setSecureContext(wrong as AcceptTlsOptions), { code: "core.invalid_argument" });
      }
      assert.equal((await dialTls(server)).subject, "localhost");
    });
  });

  test("is refused by a server without TLS", async () => {
    await serving(telling, async (server) => {
      assert.throws(() => server.setSecureContext(renewed), {
        code: "core.invalid_argument",
        message: /without the option tls/,
      });
    });
  });
});

test("its steps, by its options", () => {
  const facts = (options: ConstructorParameters<typeof Opening>[0]): boolean[] => {
    const { hasTls, namesClient, isNeeded } = new Opening(options);
    return [hasTls, namesClient, isNeeded];
  };
  assert.deepEqual(facts({}), [false, false, false]);
  assert.deepEqual(facts({ tls: localhost }), [true, false, true]);
  assert.deepEqual(facts({ proxyProtocol: "optional" }), [false, true, true]);
  assert.deepEqual(facts({ proxyProtocol: true, tls: localhost, plain: true }), [true, true, true]);
});
