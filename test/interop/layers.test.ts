// Every operation of every layer, and every two that overlap, with each operation of the stream below failing in each way.
import { describe, it } from "node:test";
import { fromDuplex, PrefixedStream, teardown, type ByteStream } from "../../src/core/index.ts";
import {
  acceptProxy,
  acceptTls,
  RateLimitStream,
  simpleRatePolicy,
  startTls,
  TimeoutStream,
  toDuplex,
} from "../../src/net/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import type { Run } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { quiet } from "../support/quiet.ts";
import { transports } from "../support/transports.ts";
import { assertNoneUnhandled } from "../support/unhandled.ts";
import { holds, Using, type Done } from "../faults/support/using.ts";

assertNoneUnhandled();
// A look at borrowed bytes that comes too late shows.
scrubReads(true);

/** What can be done with a stream, and what those beside it and after it may fail with. */
interface Operation {
  /** Starts it; a watch without this, whose handler is another thing. */
  readonly start?: (stream: ByteStream, done: Done) => void;
  readonly causes?: readonly string[];
  /** Which side of the stream it takes: another operation of that side has to wait. */
  readonly takes?: "read" | "write" | "both";
}

const hello = Buffer.from("hello");

/** Something that happens at once. */
const now =
  (act: (stream: ByteStream) => void) =>
  (stream: ByteStream, done: Done): void => {
    act(stream);
    queueMicrotask(done);
  };

const operations: Readonly<Record<string, Operation>> = {
  readSome: { start: (stream, done) => stream.readSome((error) => done(error)), takes: "read" },
  writeSome: { start: (stream, done) => stream.writeSome(hello, (error) => done(error)), takes: "write" },
  shutdown: { start: (stream, done) => stream.shutdown(done), takes: "write", causes: ["core.write_ended"] },
  watch: { takes: "read" },
  teardown: {
    start: (stream, done) => teardown(stream, "server", done),
    takes: "both",
    causes: ["core.write_ended", "core.aborted"],
  },
  close: { start: now((stream) => stream.close()), causes: ["core.aborted"] },
  reset: { start: now((stream) => stream.reset()), causes: ["core.aborted"] },
};

/** What two operations that overlap may fail with, by each other. */
function conflicts(one: Operation, other: Operation): readonly string[] {
  const isSameSide = one.takes !== undefined && [one.takes, "both"].includes(other.takes ?? "");
  const isShared = isSameSide || (one.takes === "both" && other.takes !== undefined);
  return [...(one.causes ?? []), ...(other.causes ?? []), ...(isShared ? ["core.operation_pending"] : [])];
}

/** A layer over a stream of the run, and the stream that the peer uses. */
type Layer = (run: Run) => Promise<[ByteStream, ByteStream]>;

const over =
  (make: (stream: ByteStream, run: Run) => ByteStream): Layer =>
  async (run) => {
    const [stream, peer] = run.pair();
    return [make(stream, run), peer];
  };

const layers: Readonly<Record<string, Layer>> = {
  "the stream itself": over((stream) => stream),
  TimeoutStream: over((stream, { clock }) => {
    const timed = new TimeoutStream(stream, { clock });
    timed.expiresAfter(30_000);
    return timed;
  }),
  RateLimitStream: over(
    (stream, { clock }) => new RateLimitStream(stream, simpleRatePolicy({ read: 4, write: 4 }), { clock }),
  ),
  PrefixedStream: over((stream) => new PrefixedStream(stream, Buffer.from("prefix"))),
  ProxyStream: async ({ pair, signal }) => {
    const [stream, peer] = pair();
    peer.writeSome(Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nmore"), () => {});
    return [await acceptProxy(stream, { signal }), peer];
  },
  "a Duplex of it": over((stream) => fromDuplex(toDuplex(stream))),
};

/** Both ends of a connection, by each transport; the failures are injected above it. */
const connections: Readonly<Record<string, Layer>> = Object.fromEntries(
  ["handles", "sockets"].flatMap((name) => {
    const accepted: Layer = async (run) => {
      const [server, client] = await transports[name]!();
      return [run.wrap(server), client];
    };
    const connected: Layer = async (run) => {
      const [server, client] = await transports[name]!();
      return [run.wrap(client), server];
    };
    return [
      [`${name}, accepted`, accepted],
      [`${name}, connected`, connected],
    ];
  }),
);

const tls: Readonly<Record<string, Layer>> = {
  "TLS as a server": async ({ pair, signal }) => {
    const [stream, peer] = pair();
    const client = startTls(peer, "localhost", { ca: localhost.cert });
    client.catch(() => {});
    return [await acceptTls(stream, { ...localhost, signal }), await client];
  },
  "TLS as a client": async ({ pair, signal }) => {
    const [stream, peer] = pair();
    const server = acceptTls(peer, localhost);
    server.catch(() => {});
    return [await startTls(stream, "localhost", { ca: localhost.cert, signal }), await server];
  },
};

/** The peer writes, reads everything, and ends its side. */
async function converse(peer: ByteStream): Promise<void> {
  const read = (): void =>
    peer.readSome((error, bytes) => {
      if (error === undefined && bytes !== undefined) read();
    });
  read();
  await new Promise<void>((resolve) => peer.writeSome(Buffer.from("some bytes"), () => resolve()));
  await quiet();
  peer.shutdown(() => {});
}

/** Does something with a layer while the peer talks to it. */
function using(layer: Layer, known: readonly string[], act: (using: Using) => void): (run: Run) => Promise<void> {
  return async (run) => {
    const [stream, peer] = await layer(run);
    const made = new Using(run, stream);
    act(made);
    await converse(peer);
    await made.finish(known);
    peer.close();
  };
}

/** Starts an operation; `inside` runs in its handler. */
function start(made: Using, { start: begin }: Operation, inside?: () => void): void {
  if (begin === undefined) made.startWatch(inside);
  else made.start((done) => begin(made.stream, done), inside);
}

const named = Object.entries(operations);

describe("operations of a layer", () => {
  for (const [name, layer] of Object.entries({ ...layers, ...connections })) {
    it(`${name}: every one`, async () => {
      for (const [first, one] of named) {
        await holds(
          first,
          using(layer, one.causes ?? [], (made) => start(made, one)),
        );
      }
    });

    it(`${name}: every two in one tick, and one in the other's handler`, async () => {
      for (const [first, one] of named) {
        for (const [second, other] of named) {
          const known = conflicts(one, other);
          const both = using(layer, known, (made) => {
            start(made, one);
            start(made, other);
          });
          const inside = using(layer, known, (made) => start(made, one, () => start(made, other)));
          await holds(`${first} and ${second}`, both);
          await holds(`${second} in the handler of ${first}`, inside);
        }
      }
    });
  }

  for (const [name, layer] of Object.entries(tls)) {
    it(`${name}: every one`, async () => {
      for (const [first, one] of named) {
        const alone = using(layer, one.causes ?? [], (made) => start(made, one));
        await holds(first, alone, { failures: ["error", "end", "reset"] });
      }
    });

    it(`${name}: every two in one tick`, async () => {
      for (const [index, [first, one]] of named.entries()) {
        for (const [second, other] of named.slice(index)) {
          const both = using(layer, conflicts(one, other), (made) => {
            start(made, one);
            start(made, other);
          });
          await holds(`${first} and ${second}`, both, { failures: ["reset", "delay"] });
        }
      }
    });
  }
});
