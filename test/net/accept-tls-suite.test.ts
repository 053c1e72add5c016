import { once } from "node:events";
import { connect as connectSocket } from "node:tls";
import { fromDuplex, type ByteStream } from "../../src/core/index.ts";
import { acceptTls, listen, toDuplex, type AcceptTlsOptions } from "../../src/net/index.ts";
import { scrubReads } from "../../src/net/onread.ts";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import { localhost } from "../certificates/localhost.ts";
import { byteStreamSuite, type Connection } from "../core/byte-stream-suite.ts";
import { turns } from "../core/stream-operations.ts";

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

async function onSockets(): Promise<Connection> {
  let take!: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const listener = await listen({ port: 0, host: "127.0.0.1" }, take);
  const socket = connectSocket({ port: listener.port!, host: "127.0.0.1", ca: localhost.cert });
  const [stream] = await Promise.all([taken.then((next) => acceptTls(next, options)), once(socket, "secureConnect")]);
  await Promise.all([listener.close(), turns()]);
  return {
    stream,
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}

byteStreamSuite("acceptTls over a pair", () => layered(), ownMemory);
byteStreamSuite(
  "acceptTls over a pair, a few bytes at a time",
  () => layered({ maxRead: 701, maxWrite: 503 }),
  ownMemory,
);
byteStreamSuite("acceptTls over a socket", onSockets, { ...ownMemory, reset: "a TLS socket of Node's can't be reset" });
