import assert from "node:assert/strict";
export { until } from "../../support/until.ts";
import { teardown as tearDown, type ByteStream, type Role, type ServalError } from "../../../src/core/index.ts";
import { quiet } from "../../support/quiet.ts";

/** Runs an operation, and holds it to what every handler may count on: called once, and not inside the call. */
function outcome<Values extends unknown[]>(start: (handler: (...values: Values) => void) => void): Promise<Values> {
  return new Promise((resolve) => {
    let calls = 0;
    let inside = true;
    start((...values) => {
      calls++;
      assert.equal(inside, false, "the handler ran inside the call that it was given to");
      assert.equal(calls, 1, "the handler ran again");
      resolve(values);
    });
    inside = false;
  });
}

/** What a read ended with; bytes are copied while they may be looked at. */
export interface ReadOutcome {
  error: ServalError | undefined;
  bytes: Buffer | undefined;
}

export async function readOutcome(stream: ByteStream): Promise<ReadOutcome> {
  const [error, bytes] = await outcome<[ServalError | undefined, Buffer | undefined]>((handler) => {
    stream.readSome((error, bytes) => {
      if (error !== undefined) assert.equal(bytes, undefined, "bytes along with an error");
      assert.notEqual(bytes?.length, 0, "a read of no bytes");
      handler(error, bytes === undefined ? undefined : Buffer.from(bytes));
    });
  });
  return { error, bytes };
}

/** One read: bytes, or undefined at the end of the stream; rejects with the stream's error. */
export async function read(stream: ByteStream): Promise<Buffer | undefined> {
  const { error, bytes } = await readOutcome(stream);
  if (error !== undefined) throw error;
  return bytes;
}

/** Reads until there are `size` bytes, which fails if the stream ends before, or if more come. */
export async function readExactly(stream: ByteStream, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let length = 0; length < size;) {
    const bytes = await read(stream);
    assert.ok(bytes, `the stream ended after ${length} bytes of ${size}`);
    parts.push(bytes);
    length += bytes.length;
  }
  const all = Buffer.concat(parts);
  assert.equal(all.length, size, "more bytes came than were sent");
  return all;
}

/** Reads to the end of the stream. */
export async function readToEnd(stream: ByteStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let bytes = await read(stream); bytes !== undefined; bytes = await read(stream)) parts.push(bytes);
  return Buffer.concat(parts);
}

export interface WriteOutcome {
  error: ServalError | undefined;
  written: number;
}

export async function writeOutcome(
  stream: ByteStream,
  buffers: Uint8Array | readonly Uint8Array[],
): Promise<WriteOutcome> {
  const [error, written] = await outcome<[ServalError | undefined, number]>((handler) =>
    stream.writeSome(buffers, handler),
  );
  if (error === undefined) assert.ok(written > 0, "a write that took nothing");
  return { error, written };
}

/** One write; returns how many bytes it took, and rejects with the stream's error. */
export async function write(stream: ByteStream, buffers: Uint8Array | readonly Uint8Array[]): Promise<number> {
  const { error, written } = await writeOutcome(stream, buffers);
  if (error !== undefined) throw error;
  return written;
}

/** Writes all of it, in as many writes as that takes. */
export async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await write(stream, bytes.subarray(done));
}

/** Sends bytes both ways at once, which have to arrive as they were. */
export async function exchange(
  stream: ByteStream,
  peer: ByteStream,
  there: Uint8Array,
  back: Uint8Array,
): Promise<void> {
  const [received, answered] = await Promise.all([
    readExactly(peer, there.length),
    readExactly(stream, back.length),
    writeAll(stream, there),
    writeAll(peer, back),
  ]);
  assert.ok(received.equals(there));
  assert.ok(answered.equals(back));
}

/** What a teardown ended with. */
export async function teardown(stream: ByteStream, role: Role): Promise<ServalError | undefined> {
  const [error] = await outcome<[ServalError | undefined]>((handler) => tearDown(stream, role, handler));
  return error;
}

/** What a shutdown ended with. */
export async function shutdown(stream: ByteStream): Promise<ServalError | undefined> {
  const [error] = await outcome<[ServalError | undefined]>((handler) => stream.shutdown(handler));
  return error;
}

/** What a watch told. It may never settle. */
export async function watch(stream: ByteStream): Promise<ServalError | undefined> {
  const [error] = await outcome<[ServalError | undefined]>((handler) => stream.watch(handler));
  return error;
}

/** Lets the event loop turn: over memory and loopback, all that can move has moved then. */
export async function turns(count = 30): Promise<void> {
  await quiet(count);
}

/** Whether something is still undone after all that can move has moved. */
export async function isStuck(operation: Promise<unknown>): Promise<boolean> {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  operation.then(settle, settle);
  for (let count = 0; count < 100 && !state.settled; count++) await quiet();
  return !state.settled;
}

/** Bytes that differ everywhere, so that a part in the wrong place shows. */
export function pattern(size: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}
