// The streams and layers of `growth.ts`: what reading and writing in small pieces costs through each of them.
import { RecordingStream } from "../../src/cli/inspect/recording-stream.ts";
import { fromDuplex, fromWebStreams, PrefixedStream, promised, type ByteStream } from "../../src/core/index.ts";
import {
  acceptTls,
  RateLimitStream,
  simpleRatePolicy,
  startTls,
  TimeoutStream,
  toDuplex,
} from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";
import { localhost } from "../../test/support/localhost.ts";

type Layer = (next: ByteStream) => ByteStream | Promise<ByteStream>;

const layers: Readonly<Record<string, Layer>> = {
  "a pair of memory": (next) => next,
  PrefixedStream: (next) => new PrefixedStream(next, new Uint8Array(1)),
  TimeoutStream: (next) => new TimeoutStream(next),
  RateLimitStream: (next) => new RateLimitStream(next, simpleRatePolicy({ read: 1e12, write: 1e12 })),
  RecordingStream: (next) => new RecordingStream(next),
  "toDuplex and fromDuplex": (next) => fromDuplex(toDuplex(next)),
};

async function readAll(stream: ByteStream): Promise<void> {
  let hasEnded = false;
  while (!hasEnded) {
    hasEnded = await promised<boolean>((done) =>
      stream.readSome((error, bytes) => done(error, error === undefined && bytes === undefined)),
    );
  }
}

async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    const written = await promised<number>((done) => stream.writeSome(rest, done));
    rest = rest.subarray(written);
  }
}

/** The two ends of a TLS connection, over streams of which one reads and writes byte by byte. */
async function secured(): Promise<[ours: ByteStream, theirs: ByteStream]> {
  const [one, other] = pair({ maxRead: 1, maxWrite: 1, capacity: Infinity }, { capacity: Infinity });
  return Promise.all([acceptTls(one, { ...localhost }), startTls(other, "localhost", { ca: localhost.cert })]);
}

/** Each stream, read and written byte by byte. */
export const ofStreams: Readonly<Record<string, (size: number) => unknown>> = Object.fromEntries(
  Object.entries(layers).flatMap(([name, layer]) => [
    [
      `${name}, read byte by byte`,
      async (size: number) => {
        const [next, other] = pair({ maxRead: 1, capacity: Infinity });
        other.writeSome(new Uint8Array(size), () => other.end());
        await readAll(await layer(next));
      },
    ],
    [
      `${name}, taken byte by byte`,
      async (size: number) => {
        const [next] = pair({ maxWrite: 1 }, { capacity: Infinity });
        await writeAll(await layer(next), new Uint8Array(size));
      },
    ],
  ]),
);

/** A Web stream that gives as many bytes, one by one. */
function webBytes(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(1));
      else controller.close();
    },
  });
}

/** Web streams, which take what they are given at once. */
export const ofWebStreams: Readonly<Record<string, (size: number) => unknown>> = {
  "fromWebStreams, read byte by byte": (size) =>
    readAll(fromWebStreams({ readable: webBytes(size), writable: new WritableStream() })),
  "fromWebStreams, written": (size) =>
    writeAll(fromWebStreams({ readable: webBytes(0), writable: new WritableStream() }), new Uint8Array(size)),
};

/** TLS over a stream that is read and taken byte by byte. */
export const ofTls: Readonly<Record<string, (size: number) => unknown>> = {
  "TLS, read byte by byte": async (size) => {
    const [ours, theirs] = await secured();
    const reading = readAll(ours);
    await writeAll(theirs, new Uint8Array(size));
    theirs.shutdown(() => {});
    await reading;
  },
  "TLS, taken byte by byte": async (size) => {
    const [ours, theirs] = await secured();
    const reading = readAll(theirs);
    await writeAll(ours, new Uint8Array(size));
    ours.shutdown(() => {});
    await reading;
  },
};
