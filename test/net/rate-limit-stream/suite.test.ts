import { RateLimitStream, simpleRatePolicy, type RatePolicy } from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { connection } from "../support/sockets.ts";

scrubReads(true);

/** A limit that lets everything pass, in pieces: the suite has no time to wait. */
const pieces: RatePolicy = {
  read: { available: () => 1, take: () => {}, delay: () => 1 },
  write: { available: () => 1013, take: () => {}, delay: () => 1 },
};

/** One that makes every second operation wait a moment. */
function halting(): RatePolicy {
  const limit = (): NonNullable<RatePolicy["read"]> => {
    let asked = 0;
    return { available: () => (asked++ % 2 === 0 ? 0 : 50_000), take: () => {}, delay: () => 0 };
  };
  return { read: limit(), write: limit() };
}

/** Time passes with the event loop, so that nothing waits longer than that takes. */
const clock = {
  now: () => 0,
  setTimer(_ms: number, expired: () => void) {
    const immediate = setImmediate(expired);
    return { cancel: () => clearImmediate(immediate) };
  },
};

function overPair(policy: RatePolicy, options?: PairOptions): Connection {
  const [next, peer] = pair(options);
  const stream = new RateLimitStream(next, policy, { clock });
  return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
}

byteStreamSuite("RateLimitStream without a limit", () => overPair({}));
byteStreamSuite("RateLimitStream in pieces", () => overPair(pieces, { maxRead: 997 }));
byteStreamSuite("RateLimitStream that halts", () => overPair(halting()));
byteStreamSuite("RateLimitStream over a socket", () =>
  connection((socket) => new RateLimitStream(socket, simpleRatePolicy({ read: 1e9, write: 1e9 }))),
);
