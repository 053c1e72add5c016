import { PrefixedStream } from "../../../src/core/index.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../support/byte-stream-suite.ts";
import { read } from "../support/stream-operations.ts";

async function prefixed(prefix: string, options: PairOptions = {}): Promise<Connection> {
  const [next, peer] = pair(options);
  const stream = new PrefixedStream(next, Buffer.from(prefix));
  if (prefix !== "") await read(stream);
  return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
}

byteStreamSuite("PrefixedStream without a prefix", () => prefixed(""));
byteStreamSuite("PrefixedStream whose prefix was read", () => prefixed("prefix", { maxRead: 997, maxWrite: 1009 }));
