import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectRaw } from "node:net";
import { test } from "node:test";
import { connect as connectSocket } from "node:tls";
import { FlatBuffer, fromDuplex, lowestLayer, PrefixedStream, type ByteStream } from "../../../src/core/index.ts";
import {
  acceptProxy,
  acceptTls,
  detectTls,
  listen,
  RateLimitStream,
  simpleRatePolicy,
  SocketStream,
  TimeoutStream,
  type AcceptTlsOptions,
} from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/onread.ts";
import { localhost } from "../../support/localhost.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { turns, until } from "../../core/support/stream-operations.ts";

// All layers at once, as a server behind a load balancer may have them.
scrubReads(true);

const options: AcceptTlsOptions = { ...localhost };

/** A deadline, a limit, the balancer's header, and TLS where the client speaks that. */
async function layers(socket: ByteStream): Promise<ByteStream> {
  const timed = new TimeoutStream(socket);
  timed.expiresAfter(600_000);
  const proxied = await acceptProxy(new RateLimitStream(timed, simpleRatePolicy({ read: 1e9, write: 1e9 })));
  const buffer = new FlatBuffer();
  const isTls = await detectTls(proxied, buffer);
  const all = new PrefixedStream(proxied, buffer.data());
  return isTls ? acceptTls(all, options) : all;
}

async function connection(): Promise<Connection> {
  let take!: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const listener = await listen({ port: 0, host: "127.0.0.1" }, (next) => take(next));
  const raw = connectRaw(listener.port!, "127.0.0.1");
  raw.write("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n");
  const socket = connectSocket({ socket: raw, ca: localhost.cert, servername: "localhost" });
  const [stream] = await Promise.all([taken.then(layers), once(socket, "secureConnect")]);
  await Promise.all([listener.close(), turns()]);
  return {
    stream,
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => void raw.resetAndDestroy(),
    async release() {
      raw.destroy();
      await until(() => listener.connections === 0);
    },
  };
}

byteStreamSuite("all layers", connection, { "late-look": "TLS decrypts into memory that nothing else uses" });

test("all layers know the client, and what is at the bottom", async () => {
  const { stream, peer, release } = await connection();
  assert.deepEqual(stream.peer, { address: "192.0.2.1", port: 56324, family: "IPv4" });
  assert.ok(lowestLayer(stream) instanceof SocketStream);
  stream.close();
  peer.close();
  await release!();
});
