import type { ByteStream } from "../../../src/core/index.ts";
import { TimeoutStream } from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { connection } from "../support/sockets.ts";

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

byteStreamSuite("TimeoutStream without a deadline", () => overPair(Infinity));
byteStreamSuite("TimeoutStream with one", () => overPair(600_000, { maxRead: 997, maxWrite: 1009 }));
byteStreamSuite("TimeoutStream over a socket", () => connection((socket) => timed(socket, 600_000)));
