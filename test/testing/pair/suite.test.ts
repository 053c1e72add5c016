import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite } from "../../core/support/byte-stream-suite.ts";

function suite(name: string, options: PairOptions): void {
  byteStreamSuite(name, () => {
    const [stream, peer] = pair(options);
    return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
  });
}

suite("pair", {});
suite("pair with short reads and writes", { maxRead: 997, maxWrite: 1009, capacity: 1500 });
