import { acceptProxy } from "../../../src/net/index.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { writeAll } from "../../core/support/stream-operations.ts";

async function accepted(options: PairOptions): Promise<Connection> {
  const [next, peer] = pair(options);
  await writeAll(peer, Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"));
  const stream = await acceptProxy(next);
  return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
}

byteStreamSuite("acceptProxy", () => accepted({}));
byteStreamSuite("acceptProxy, a few bytes at a time", () => accepted({ maxRead: 997, maxWrite: 1009 }));
