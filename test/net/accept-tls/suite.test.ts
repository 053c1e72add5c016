import { once } from "node:events";
import { connect as connectRaw } from "node:net";
import { connect as connectSocket } from "node:tls";
import { FlatBuffer, fromDuplex, PrefixedStream, type ByteStream } from "../../../src/core/index.ts";
import { acceptTls, detectTls, toDuplex, type AcceptTlsOptions } from "../../../src/net/index.ts";
import { listenBy } from "../../../src/net/listen.ts";
import { scrubReads } from "../../../src/net/onread.ts";
import type { ReadWay } from "../../../src/net/socket-stream.ts";
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

/** Over a socket: as it comes, or with its first bytes read before. */
async function onSocket(way: ReadWay, peek: boolean): Promise<Connection> {
  let take!: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const accept = async (next: ByteStream): Promise<ByteStream> => {
    if (!peek) return acceptTls(next, options);
    const buffer = new FlatBuffer();
    await detectTls(next, buffer);
    return acceptTls(new PrefixedStream(next, buffer.data()), options);
  };
  const listener = await listenBy(way, { port: 0, host: "127.0.0.1" }, (next) => take(next));
  const raw = connectRaw(listener.port!, "127.0.0.1");
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
for (const way of ["onread", "data"] satisfies ReadWay[]) {
  byteStreamSuite(`acceptTls over a socket, ${way}`, () => onSocket(way, false), ownMemory);
  byteStreamSuite(`acceptTls over a socket that was read from, ${way}`, () => onSocket(way, true), ownMemory);
}
