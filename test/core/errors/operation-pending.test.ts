import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PrefixedStream, type ByteStream } from "../../../src/core/index.ts";
import { RateLimitStream, simpleRatePolicy } from "../../../src/net/index.ts";
import { pair } from "../../../src/testing/index.ts";

const ignore = (): void => {};
const bytes = Uint8Array.of(1);

const start = {
  read: (stream: ByteStream) => stream.readSome(ignore),
  write: (stream: ByteStream) => stream.writeSome(bytes, ignore),
  shutdown: (stream: ByteStream) => stream.shutdown(ignore),
  watch: (stream: ByteStream) => stream.watch(ignore),
};
type Operation = keyof typeof start;

const layers = {
  "a transport": (next: ByteStream) => next,
  "a prefix": (next: ByteStream) => new PrefixedStream(next, bytes),
  "a rate limit": (next: ByteStream) => new RateLimitStream(next, simpleRatePolicy({ read: 1, write: 1 })),
};

describe("core.operation_pending says which operation is in the way, and what to do", () => {
  for (const [name, layer] of Object.entries(layers)) {
    for (const [running, wanted, advice] of [
      ["read", "read", "await it before the next"],
      ["write", "write", "await it before the next"],
      ["read", "watch", "it tells of the end itself; watch when nothing is read"],
      ["write", "shutdown", "await it before the shutdown, or close the stream"],
      ["shutdown", "write", "nothing can be written after it"],
      ["shutdown", "shutdown", "nothing can be written after it"],
    ] satisfies [Operation, Operation, string][]) {
      it(`${name}: ${wanted} during a ${running}`, () => {
        const stream = layer(pair()[0]);
        start[running](stream);
        assert.throws(() => start[wanted](stream), {
          code: "core.operation_pending",
          message: `A ${running} is in progress on this stream: ${advice}`,
        });
        stream.close();
      });
    }
  }
});
