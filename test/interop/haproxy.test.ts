import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { describe, it } from "node:test";
import { connect as connectTlsSocket } from "node:tls";
import type { Peer } from "../../src/core/index.ts";
import { acceptProxy, acceptTls, listen, type ProxyStream } from "../../src/net/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { localhost } from "../support/localhost.ts";
import { read, writeAll } from "../core/support/stream-operations.ts";
import { piece } from "../net/support/proxy-headers.ts";
import { withPath } from "../net/support/sockets.ts";
import { startHaproxy, type Balancing } from "../support/haproxy.ts";
import { requires, type Cleanup, type Daemon } from "../support/programs.ts";

// Debian's haproxy in front of us, which says by the PROXY protocol who its clients are.
scrubReads(true);

/** Connections behind haproxy, in the order in which they come; those that end before their header are not counted. */
class Behind {
  readonly #waiting: ((stream: ProxyStream) => void)[] = [];
  readonly #come: ProxyStream[] = [];

  readonly accept = (stream: Parameters<Parameters<typeof listen>[1]>[0]): void => {
    acceptProxy(stream, (error, proxied) => {
      // What haproxy is asked by the kit, whether it listens, it gives up again.
      if (error !== undefined) return;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#come.push(proxied);
      else waiting(proxied);
    });
  };

  next(): Promise<ProxyStream> {
    const come = this.#come.shift();
    return come === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(come);
  }

  /** The connection from a certain port. */
  async from(port: number): Promise<ProxyStream> {
    for (;;) {
      const stream = await this.next();
      if (stream.peer?.port === port) return stream;
      stream.close();
    }
  }
}

async function behindHaproxy(
  test: Cleanup,
  balancing: Omit<Balancing, "upstream">,
  use: (behind: Behind, haproxy: Daemon) => Promise<void>,
  path?: string,
): Promise<void> {
  const behind = new Behind();
  const where = path === undefined ? { port: 0, host: "127.0.0.1" } : { unix: path };
  const listener = await listen(where, behind.accept);
  try {
    const upstream = path ?? `127.0.0.1:${listener.port}`;
    await use(behind, await startHaproxy(test, { ...balancing, upstream }));
  } finally {
    await listener.close();
  }
}

function ends(socket: Socket): { client: Peer; front: Peer } {
  const family = "IPv4";
  return {
    client: { address: socket.localAddress!, port: socket.localPort!, family },
    front: { address: socket.remoteAddress!, port: socket.remotePort!, family },
  };
}

/** A client's question through haproxy, and our answer. */
async function talk(stream: ProxyStream, client: Socket): Promise<void> {
  assert.equal(String(await read(stream)), "question");
  await writeAll(stream, Buffer.from("answer"));
  const [answer] = (await once(client, "data")) as [Buffer];
  assert.equal(String(answer), "answer");
  stream.close();
  client.destroy();
}

describe("haproxy in front of us", { skip: requires("haproxy") }, () => {
  for (const [server, version] of [
    ["send-proxy", 1],
    ["send-proxy-v2", 2],
    ["send-proxy-v2 proxy-v2-options unique-id,crc32c", 2],
  ] as const) {
    for (const way of ["TCP", "a Unix socket"]) {
      it(`${server}, over ${way}`, async (t) => {
        const visit = (path?: string): Promise<void> =>
          behindHaproxy(
            t,
            { server },
            async (behind, haproxy) => {
              const client = connectSocket(haproxy.port, "127.0.0.1");
              await once(client, "connect");
              client.write("question");
              const stream = await behind.from(client.localPort!);
              const known = ends(client);
              assert.deepEqual(stream.peer, known.client);
              assert.equal(stream.header?.version, version);
              assert.equal(stream.header.command, "proxy");
              assert.equal(stream.header.transport, "stream");
              assert.deepEqual(stream.header.source, known.client);
              assert.deepEqual(stream.header.destination, known.front);
              if (server.includes("unique-id")) {
                assert.equal(Buffer.from(stream.header.uniqueId!).toString(), uniqueId(client));
                assert.equal(stream.header.tlv(3)?.length, 4);
              }
              await talk(stream, client);
            },
            path,
          );
        await (way === "TCP" ? visit() : withPath(visit));
      });
    }
  }

  it("says what its client has asked for by TLS", async (t) => {
    const balancing = { server: "send-proxy-v2-ssl-cn proxy-v2-options authority,ssl", tls: true };
    await behindHaproxy(t, balancing, async (behind, haproxy) => {
      const client = connectTlsSocket({
        port: haproxy.port,
        host: "127.0.0.1",
        ca: localhost.cert,
        servername: "localhost",
        ALPNProtocols: ["http/1.1"],
      });
      await once(client, "secureConnect");
      client.write("question");
      const stream = await behind.from(client.localPort!);
      assert.equal(stream.header?.authority, "localhost");
      assert.equal(stream.header.alpn, "http/1.1");
      const { ssl } = stream.header;
      // The client used TLS, and its version is the first thing that is said of it.
      assert.equal(ssl?.[0], 1);
      assert.deepEqual(Buffer.from(ssl).subarray(5, 15), piece(0x21, "TLSv1.3"));
      await talk(stream, client);
    });
  });

  it("checks our health by a local connection", async (t) => {
    const server = "send-proxy-v2 check check-send-proxy inter 50ms";
    await behindHaproxy(t, { server }, async (behind) => {
      for (;;) {
        const stream = await behind.next();
        const { header } = stream;
        stream.close();
        if (header?.command !== "local") continue;
        assert.equal(header.source, undefined);
        assert.deepEqual(stream.peer, stream.nextLayer.peer);
        break;
      }
    });
  });

  it("passes TLS on, which ends here, after its header", async (t) => {
    await behindHaproxy(t, { server: "send-proxy-v2" }, async (behind, haproxy) => {
      const client = connectTlsSocket({ port: haproxy.port, host: "127.0.0.1", ca: localhost.cert });
      await once(client, "connect");
      const proxied = await behind.from(client.localPort!);
      const stream = await acceptTls(proxied, localhost);
      assert.deepEqual(stream.peer, ends(client).client);
      client.write("question");
      assert.equal(String(await read(stream)), "question");
      stream.close();
      client.destroy();
    });
  });
});

/** As the configuration has it. */
function uniqueId(client: Socket): string {
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");
  const address = client.localAddress!.split(".").map((part) => hex(Number(part), 2));
  return `${address.join("")}:${hex(client.localPort!, 4)}`;
}
