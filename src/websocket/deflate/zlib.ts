// Compressing on this thread. The stream objects of node:zlib compress on other threads, which takes longer than
// compressing a small message, and its documented functions make a new context for each call. A kept context driven on
// this thread costs a fifth. That needs the handle inside a stream object, which is undocumented: only this file uses it,
// checks once that it works as expected, and otherwise uses the documented functions.
import * as zlib from "node:zlib";
import { copyOf } from "../../core/internal.ts";
import type { WebsocketCode } from "../frames/errors.ts";

/** Up to this many bytes are compressed, in about 0.4 ms, or decompressed at once on the event loop's thread. */
export const inlineUpTo: number = 32 * 1024;

/** The most bytes that a context takes in one run, since Node counts them in 32 bits. */
export const longestRun: number = 2 ** 30;

/** When {@link Context.run} returns its output: at its own choice, all of it, or up to the end of a block. */
export const flush: Readonly<Record<"none" | "sync" | "block", number>> = {
  none: zlib.constants.Z_NO_FLUSH,
  sync: zlib.constants.Z_SYNC_FLUSH,
  block: zlib.constants.Z_BLOCK,
};

/** The parameters of a compressor. */
export interface CompressorOptions {
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
}

interface Handle {
  /** Sets the stream object's `_writeState` to the output room and the input that are left. */
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputSize: number,
    output: Uint8Array,
    outputAt: number,
    outputSize: number,
  ): void;
  reset(): void;
  /** Called inside `writeSync` for invalid input. */
  onerror: () => void;
}

interface Engine {
  readonly _handle: Handle;
  readonly _writeState: Uint32Array;
  close(): void;
}

let live = 0;

/** A compressor or decompressor driven on this thread. */
export class Context {
  /** How many bytes the last run consumed, and how many it produced. */
  consumed = 0;
  produced = 0;
  readonly #engine: Engine;
  /** Undefined once closed, since Node aborts the process if a closed handle is used. */
  #handle: Handle | undefined;
  readonly #state: Uint32Array;
  #failed = false;

  constructor(engine: zlib.DeflateRaw | zlib.InflateRaw) {
    this.#engine = engine as unknown as Engine;
    this.#handle = this.#engine._handle;
    this.#state = this.#engine._writeState;
    this.#handle.onerror = () => {
      this.#failed = true;
    };
    live++;
  }

  /**
   * Takes input while there is room for output: `count` bytes at `from`, into `room` bytes at `at`. False for invalid
   * input, after which it must be reset, and after {@link close}.
   */
  run(
    mode: number,
    input: Uint8Array,
    from: number,
    count: number,
    output: Uint8Array,
    at: number,
    room: number,
  ): boolean {
    this.#failed = this.#handle === undefined;
    this.#handle?.writeSync(mode, input, from, count, output, at, room);
    this.consumed = this.#failed ? 0 : count - this.#state[1]!;
    this.produced = this.#failed ? 0 : room - this.#state[0]!;
    return !this.#failed;
  }

  /** Forgets everything except its parameters. */
  reset(): void {
    this.#handle?.reset();
  }

  /** Frees its memory. */
  close(): void {
    if (this.#handle === undefined) return;
    this.#handle = undefined;
    this.#engine.close();
    live--;
  }
}

/** For tests: how many contexts exist that were not closed. */
export function liveContexts(): number {
  return live;
}

/** Stream objects reserve output memory that is not used here. */
const chunkSize = 64;

/** zlib has no raw DEFLATE with windows of 8 bits; with 9 bits it never refers further back than 250 bytes. */
const windowBitsOf = (windowBits: number): number => Math.max(9, windowBits);

/** A context that compresses, as if it had already compressed `history`. */
export function compressor(options: CompressorOptions, history?: Uint8Array): Context {
  const windowBits = windowBitsOf(options.windowBits);
  const dictionary = history === undefined ? {} : { dictionary: history };
  return new Context(zlib.createDeflateRaw({ ...options, ...dictionary, windowBits, chunkSize }));
}

/** A context that decompresses. */
export function decompressor(windowBits: number): Context {
  return new Context(zlib.createInflateRaw({ windowBits, chunkSize }));
}

// ---- whether there can be contexts ----

let works: boolean | undefined;
let hidden = false;

/** Whether contexts work; otherwise the functions below are used. Checked once. */
export function hasContexts(): boolean {
  works ??= areAsExpected();
  return works && !hidden;
}

/** For tests: whether to pretend that contexts do not work. */
export function hideContexts(on: boolean): void {
  hidden = on;
}

/** Exercises contexts in all ways used, and compares the results with the documented functions. */
function areAsExpected(): boolean {
  const options: CompressorOptions = { windowBits: 15, level: 6, memLevel: 8 };
  const text = Uint8Array.from({ length: 300 }, (_, i) => (i * i) >> 5);
  const opened: Context[] = [];
  try {
    const expected = deflateAlone(text, options);
    const deflater = compressor(options);
    opened.push(deflater);
    const inflater = decompressor(15);
    opened.push(inflater);
    const output = new Uint8Array(1024);
    const packs = (): Uint8Array | undefined => {
      const taken = deflater.run(flush.sync, text, 0, 300, output, 8, 1000) && deflater.consumed === 300;
      return taken ? output.slice(8, 8 + deflater.produced) : undefined;
    };
    const unpacks = (bytes: Uint8Array): boolean => {
      // The tail in a separate run, to find where a block ends.
      const body = bytes.length - 4;
      return (
        inflater.run(flush.sync, bytes, 0, body, output, 0, 1024) &&
        inflater.consumed === body &&
        isSame(output.subarray(0, inflater.produced), text) &&
        inflater.run(flush.block, tailAndMore, 0, 5, output, 0, 1024) &&
        inflater.consumed === 4 &&
        inflater.produced === 0
      );
    };
    const first = packs();
    const second = packs();
    deflater.reset();
    const third = packs();
    if (first === undefined || second === undefined || third === undefined) return false;
    if (!isSame(first, expected) || !isSame(third, expected) || second.length >= first.length) return false;
    if (!unpacks(first) || !unpacks(second)) return false;
    // The second message can't be read without the first; and a reset clears the failure.
    inflater.reset();
    if (inflater.run(flush.sync, second, 0, second.length, output, 0, 1024)) return false;
    inflater.reset();
    return unpacks(first);
  } catch {
    return false;
  } finally {
    for (const context of opened) context.close();
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// ---- the documented functions ----

/** The bytes removed from the end of each compressed message (RFC 7692 section 7.2.1), and one more byte. */
export const tailAndMore: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x00);

/**
 * The tail, a block that ends a stream, and one more byte. After a whole payload, zlib reads all but that byte; after a
 * payload that ends inside a block it does not.
 */
export const tailEndAndMore: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff, 0x00);

/** How many bytes of {@link tailAndMore} are the tail. */
export const tailSize = 4;

/** Compresses bytes without a context, with the tail. */
export function deflateAlone(bytes: Uint8Array, options: CompressorOptions): Uint8Array {
  return zlib.deflateRawSync(bytes, functionOptions(bytes.length, options));
}

/** How {@link deflateAlone} compresses so many bytes. */
export function functionOptions(size: number, options: CompressorOptions): zlib.ZlibOptions {
  return {
    ...options,
    windowBits: windowBitsOf(options.windowBits),
    finishFlush: flush.sync,
    // The usual size of the output; each further chunk takes another turn.
    chunkSize: Math.min(Math.max(4096, size >>> 2), 1024 * 1024),
  };
}

/** If both have been read, the payload ended with whole blocks. */
const tailAndEnd = tailEndAndMore.subarray(0, -1);

/** A stream that was decompressed, and what of the input it took. */
export interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: zlib.InflateRaw;
}

/** Decompresses a message without a context, one DEFLATE stream after the other. */
export class Alone {
  /** The rest of the payload, then the tail and the end. */
  input: Uint8Array;
  readonly #limit: number;
  readonly #mostStreams: number;
  readonly #pieces: Uint8Array[] = [];
  #total = 0;
  #streams = 0;

  constructor(payload: Uint8Array, limit: number, mostStreams: number) {
    this.input = copyOf([payload, tailAndEnd], payload.length + tailAndEnd.length);
    this.#limit = limit;
    this.#mostStreams = mostStreams;
  }

  get options(): zlib.ZlibOptions {
    // Node requires at least 1.
    const left = Math.max(1, this.#limit - this.#total);
    // The usual largest size of the output; each further chunk takes another turn.
    const chunkSize = Math.min(Math.max(4096, 4 * this.input.length), 1024 * 1024);
    return { info: true, chunkSize, ...(left < 2 ** 31 && { maxOutputLength: left }) };
  }

  /** Adds the output of a stream; returns the message or its error, once known. */
  add({ buffer, engine }: Inflated): Uint8Array | WebsocketCode | undefined {
    this.#pieces.push(buffer);
    this.#total += buffer.length;
    this.input = this.input.subarray(engine.bytesWritten);
    if (this.#total > this.#limit) return "websocket.message_too_big";
    const left = this.input.length;
    // All was read, or a stream ended with the payload or with the tail.
    const isComplete = left === 0 || left === tailAndEnd.length || left === tailAndEnd.length - tailSize;
    if (isComplete) return copyOf(this.#pieces, this.#total);
    return ++this.#streams > this.#mostStreams ? "websocket.bad_deflate_data" : undefined;
  }
}

/** The error of a payload, by Node's error. */
export function whatIsWrong(error: unknown): WebsocketCode {
  const isTooBig = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
  return isTooBig ? "websocket.message_too_big" : "websocket.bad_deflate_data";
}

/**
 * Decompresses a message without its tail and without a context, to at most `limit` bytes and at most `mostStreams`
 * DEFLATE streams after its first.
 */
export function inflateAlone(payload: Uint8Array, limit: number, mostStreams: number): Uint8Array | WebsocketCode {
  const alone = new Alone(payload, limit, mostStreams);
  for (;;) {
    try {
      const result = alone.add(zlib.inflateRawSync(alone.input, alone.options) as unknown as Inflated);
      if (result !== undefined) return result;
    } catch (error) {
      return whatIsWrong(error);
    }
  }
}
