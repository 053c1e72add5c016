import { once } from "node:events";
import { Socket } from "node:net";
import { fromDuplex, type ByteStream } from "../../../src/core/index.ts";
import { listen, TimeoutStream } from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/onread.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";

scrubReads(true);

/** With a deadline that is far, or none. */
function timed(nextLayer: ByteStream, ms: number): TimeoutStream {
  const stream = new TimeoutStream(nextLayer);
  stream.expiresAfter(ms);
  return stream;
}

function overPair(ms: number, options?: PairOptions): Connection {
  const [next, peer] = pair(options);
  return { stream: timed(next, ms), peer, endPeer: () => peer.end(), reset: () => peer.reset() };
}

async function overSocket(): Promise<Connection> {
  let take!: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const listener = await listen({ port: 0, host: "127.0.0.1" }, take);
  const raw = new Socket({ allowHalfOpen: true });
  raw.connect(listener.port!, "127.0.0.1");
  const [next] = await Promise.all([taken, once(raw, "connect")]);
  await listener.close();
  const stream = timed(next, 600_000);
  return { stream, peer: fromDuplex(raw), endPeer: () => void raw.end(), reset: () => void raw.resetAndDestroy() };
}

byteStreamSuite("TimeoutStream without a deadline", () => overPair(Infinity));
byteStreamSuite("TimeoutStream with one", () => overPair(600_000, { maxRead: 997, maxWrite: 1009 }));
byteStreamSuite("TimeoutStream over a socket", overSocket);
