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
  RateLimitStream,
  simpleRatePolicy,
  TimeoutStream,
  toDuplex,
  type AcceptTlsOptions,
} from "../../../src/net/index.ts";
import { listenBy } from "../../../src/net/listen.ts";
import type { Way } from "../../../src/net/sockets/transport.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { isSocketStream } from "../../../src/net/sockets/socket-stream.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { localhost } from "../../support/localhost.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { turns, until } from "../../core/support/stream-operations.ts";

scrubReads(true);

const ownMemory = { "late-look": "TLS decrypts into memory that nothing else uses" };
// The same object throughout: its context is made once.
const options: AcceptTlsOptions = { ...localhost };

async function layered(pairOptions?: PairOptions): Promise<Connection> {
  const [ours, theirs] = pair(pairOptions);
  const socket = connectSocket({ socket: toDuplex(theirs), ca: localhost.cert, servername: "localhost" });
  const [stream] = await Promise.all([acceptTls(ours, options), once(socket, "secureConnect")]);
  await turns();
  return {
    stream,
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => theirs.reset(),
  };
}

/** Shakes hands after the first bytes were read to see that they are TLS's. */
async function detected(next: ByteStream): Promise<ByteStream> {
  const buffer = new FlatBuffer();
  const isTls = await detectTls(next, buffer);
  const all = new PrefixedStream(next, buffer.data());
  return isTls ? acceptTls(all, options) : all;
}

/** All layers at once, as a server behind a load balancer may have them: a deadline, a limit, the balancer's header, TLS. */
async function layers(socket: ByteStream): Promise<ByteStream> {
  const timed = new TimeoutStream(socket);
  timed.expiresAfter(600_000);
  return detected(await acceptProxy(new RateLimitStream(timed, simpleRatePolicy({ read: 1e9, write: 1e9 }))));
}

/** Over a socket that a client has connected to, which says this before its handshake. */
async function onSocket(way: Way, accept: (next: ByteStream) => Promise<ByteStream>, before = ""): Promise<Connection> {
  let take!: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const listener = await listenBy(way, { port: 0, host: "127.0.0.1" }, (next) => take(next));
  const raw = connectRaw(listener.port!, "127.0.0.1");
  raw.write(before);
  const socket = connectSocket({ socket: raw, ca: localhost.cert, servername: "localhost" });
  const [stream] = await Promise.all([taken.then(accept), once(socket, "secureConnect")]);
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

byteStreamSuite("acceptTls over a pair", () => layered(), ownMemory);
byteStreamSuite(
  "acceptTls over a pair, a few bytes at a time",
  () => layered({ maxRead: 701, maxWrite: 503 }),
  ownMemory,
);
for (const way of ["handle", "onread", "data"] satisfies Way[]) {
  byteStreamSuite(
    `acceptTls over a socket, ${way}`,
    () => onSocket(way, (next) => acceptTls(next, options)),
    ownMemory,
  );
  byteStreamSuite(`acceptTls over a socket that was read from, ${way}`, () => onSocket(way, detected), ownMemory);
}

const proxied = (): Promise<Connection> => onSocket("handle", layers, "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n");
byteStreamSuite("all layers", proxied, ownMemory);

test("all layers have the client's address and the bottom layer", async () => {
  const { stream, peer, release } = await proxied();
  assert.deepEqual(stream.peer, { address: "192.0.2.1", port: 56324, family: "IPv4" });
  assert.ok(isSocketStream(lowestLayer(stream)));
  stream.close();
  peer.close();
  await release!();
});
