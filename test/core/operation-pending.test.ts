import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PrefixedStream, type ByteStream } from "../../src/core/index.ts";
import { RateLimitStream, simpleRatePolicy } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";

const ignore = (): void => {};
const bytes = Uint8Array.of(1);

const start = {
  read: (stream: ByteStream) => stream.readSome(ignore),
  write: (stream: ByteStream) => stream.writeSome(bytes, ignore),
  teardown: (stream: ByteStream) => stream.teardown("server", ignore),
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
      ["read", "teardown", "await it before the teardown, or close the stream"],
      ["write", "teardown", "await it before the teardown, or close the stream"],
      ["teardown", "read", "nothing can be started after it but close"],
      ["teardown", "write", "nothing can be started after it but close"],
      ["teardown", "teardown", "nothing can be started after it but close"],
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
