// The one file of this folder that names node:zlib. Its stream objects compress on other threads, which takes longer than
// compressing a small message, and its documented functions make a new context for each call. A context that is kept and
// driven on this thread costs a fifth. What that takes, the handle inside a stream object, is not part of Node's documented
// interface: this file alone knows of it, checks once that it works as expected, and leaves it to the functions if not.
import * as zlib from "node:zlib";
import { copyOf } from "../../core/internal.ts";
import type { WebsocketCode } from "../frames/errors.ts";

/** Up to this many bytes are compressed at once on the event loop's thread, in some 0.4 ms, or decompressed. */
export const inlineUpTo: number = 32 * 1024;

/** The most bytes that a context takes in one run: Node counts them in 32 bits. */
export const longestRun: number = 2 ** 30;

/** When {@link Context.run} gives its output: at its leisure, all of it, or as far as the end of a block. */
export const flush: Readonly<Record<"none" | "sync" | "block", number>> = {
  none: zlib.constants.Z_NO_FLUSH,
  sync: zlib.constants.Z_SYNC_FLUSH,
  block: zlib.constants.Z_BLOCK,
};

/** How a compressor is made. */
export interface CompressorOptions {
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
}

interface Handle {
  /** Leaves in the stream object's `_writeState` how much room for output is left, and how much input. */
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
  /** Called within `writeSync` where the input is wrong. */
  onerror: () => void;
}

interface Engine {
  readonly _handle: Handle;
  readonly _writeState: Uint32Array;
  close(): void;
}

let live = 0;

/** A compressor or decompressor, to be driven on this thread. */
export class Context {
  /** How many bytes the last run took, and how many it gave. */
  consumed = 0;
  produced = 0;
  readonly #engine: Engine;
  /** Undefined once closed: Node aborts the process over a handle that is used then. */
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
   * Takes input while there is room for output: `count` bytes at `from`, into `room` bytes at `at`. False for input that is
   * wrong, and after {@link close}; then it has to be reset.
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

  /** Forgets everything but how it was made. */
  reset(): void {
    this.#handle?.reset();
  }

  /** Gives its memory back. */
  close(): void {
    if (this.#handle === undefined) return;
    this.#handle = undefined;
    this.#engine.close();
    live--;
  }
}

/** For tests: how many contexts were made and not closed. */
export function liveContexts(): number {
  return live;
}

/** Stream objects reserve memory for output of their own, which is not used here. */
const chunkSize = 64;

/** Raw DEFLATE with windows of 8 bits is none of zlib's; it never looks further back than 250 bytes with one of 9. */
const windowBitsOf = (windowBits: number): number => Math.max(9, windowBits);

/** A context that compresses; as if it had compressed `history` before. */
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

/** Whether contexts can be had; if not, there are the functions below. Looked at once. */
export function hasContexts(): boolean {
  works ??= areAsExpected();
  return works && !hidden;
}

/** For tests: whether to pretend that contexts can't be had. */
export function hideContexts(on: boolean): void {
  hidden = on;
}

/** Does with contexts all that is done with them, and compares it with what the documented functions do. */
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
      // The tail by itself: it must be known where a block ends.
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
    // The second leads nowhere without the first; and nothing comes of the failure once it is reset.
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

/** What is cut off the end of each compressed message (RFC 7692 section 7.2.1), and a byte after it. */
export const tailAndMore: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x00);

/**
 * The tail, a block that ends a stream, and a byte after it. After a whole payload zlib reads all but that byte; after a
 * payload that ends within a block it does not.
 */
export const tailEndAndMore: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff, 0x00);

/** How many bytes of {@link tailAndMore} are the tail. */
export const tailSize = 4;

/** Compresses bytes by themselves, the tail included. */
export function deflateAlone(bytes: Uint8Array, options: CompressorOptions): Uint8Array {
  return zlib.deflateRawSync(bytes, functionOptions(bytes.length, options));
}

/** The same, on another thread; the bytes must not change meanwhile. */
export function deflateAloneLater(
  bytes: Uint8Array,
  options: CompressorOptions,
  handler: (result: Uint8Array) => void,
): void {
  zlib.deflateRaw(bytes, functionOptions(bytes.length, options), (error, result) => {
    // It fails where there is no memory for it. Then there may be on this thread; if not, this throws.
    handler(error === null ? result : deflateAlone(bytes, options));
  });
}

function functionOptions(size: number, options: CompressorOptions): zlib.ZlibOptions {
  return {
    ...options,
    windowBits: windowBitsOf(options.windowBits),
    finishFlush: flush.sync,
    // As much memory for output as it most often takes: each more takes another turn.
    chunkSize: Math.min(Math.max(4096, size >>> 2), 1024 * 1024),
  };
}

/** When both have been read, whole blocks have been read. */
const tailAndEnd = tailEndAndMore.subarray(0, -1);

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: zlib.InflateRaw;
}

/** A message that is decompressed by itself, one stream of DEFLATE after the other. */
class Alone {
  /** What is left of the payload, then the tail and the end. */
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
    // Node takes 1 at least.
    const left = Math.max(1, this.#limit - this.#total);
    // As much memory for output as it may take: each more takes another turn.
    const chunkSize = Math.min(Math.max(4096, 4 * this.input.length), 1024 * 1024);
    return { info: true, chunkSize, ...(left < 2 ** 31 && { maxOutputLength: left }) };
  }

  /** Adds what came of a stream; the message, or what is wrong with it, once that is known. */
  add({ buffer, engine }: Inflated): Uint8Array | WebsocketCode | undefined {
    this.#pieces.push(buffer);
    this.#total += buffer.length;
    this.input = this.input.subarray(engine.bytesWritten);
    if (this.#total > this.#limit) return "websocket.message_too_big";
    const left = this.input.length;
    // All was read; or a stream has ended with the payload, or with the tail.
    const isComplete = left === 0 || left === tailAndEnd.length || left === tailAndEnd.length - tailSize;
    if (isComplete) return copyOf(this.#pieces, this.#total);
    return ++this.#streams > this.#mostStreams ? "websocket.bad_deflate_data" : undefined;
  }
}

function whatIsWrong(error: unknown): WebsocketCode {
  const isTooBig = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
  return isTooBig ? "websocket.message_too_big" : "websocket.bad_deflate_data";
}

/**
 * Decompresses a message without its tail, by itself, to at most `limit` bytes, and in at most `mostStreams` streams of
 * DEFLATE after its first.
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

/** The same, on another thread; the payload may change meanwhile. Never calls back inside the call. */
export function inflateAloneLater(
  payload: Uint8Array,
  limit: number,
  mostStreams: number,
  handler: (result: Uint8Array | WebsocketCode) => void,
): void {
  const alone = new Alone(payload, limit, mostStreams);
  const next = (): void => {
    zlib.inflateRaw(alone.input, alone.options, (error, result) => {
      const outcome = error === null ? alone.add(result as unknown as Inflated) : whatIsWrong(error);
      if (outcome === undefined) next();
      else handler(outcome);
    });
  };
  next();
}
