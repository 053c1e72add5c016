import { allocate, copyOf } from "../../core/internal.ts";
import { httpError } from "../messages/errors.ts";
import type { Sink } from "./read-operation.ts";

/** The interface of `RequestParser` and `ResponseParser` that the composed reads use. */
export interface Parser<Parsed> {
  eager: boolean;
  readonly message: Parsed | undefined;
  readonly isHeaderDone: boolean;
  readonly isDone: boolean;
  readonly needsEof: boolean;
  readonly part: Uint8Array;
  put(bytes: Uint8Array): number;
  end(): void;
}

/** Parsers whose whole message has been returned. */
const taken = new WeakSet<object>();

/** A sink for a message: its head, or all of it. */
export class MessageSink<Parsed> implements Sink<Parsed> {
  readonly #parser: Parser<Parsed>;
  readonly #isWhole: boolean;

  constructor(parser: Parser<Parsed>, wants: "head" | "message") {
    this.#parser = parser;
    this.#isWhole = wants === "message";
    // Otherwise a loop that reuses one parser would get the same message forever.
    if (this.#isWhole ? taken.has(parser) : parser.isHeaderDone) throw httpError("http.stale_parser");
    parser.eager = this.#isWhole;
  }

  get isDone(): boolean {
    return this.#isWhole ? this.#parser.isDone : this.#parser.isHeaderDone;
  }

  get needsEof(): boolean {
    return this.#isWhole && this.#parser.needsEof;
  }

  put(bytes: Uint8Array): number {
    return this.#parser.put(bytes);
  }

  end(): void {
    this.#parser.end();
  }

  result(): Parsed {
    if (this.#isWhole) taken.add(this.#parser);
    return this.#parser.message!;
  }
}

/** The most chunks that one part of a body is made of: some 0.4 ms of work. */
const manyChunks = 2048;

/**
 * A sink for the body's bytes that are there: a copy of them, undefined at the end. It does not stop after each chunk,
 * so thousands of tiny chunks in one read do not cost as many turns of the event loop.
 */
export class PartSink implements Sink<Uint8Array | undefined> {
  readonly #parser: Parser<unknown>;
  readonly #mostChunks: number;
  #part: Uint8Array | undefined;

  constructor(parser: Parser<unknown>, mostChunks: number = manyChunks) {
    this.#mostChunks = mostChunks;
    if (!parser.isHeaderDone) throw httpError("http.need_header");
    this.#parser = parser;
    parser.eager = false;
  }

  get isDone(): boolean {
    return this.#part !== undefined || this.#parser.isDone;
  }

  get needsEof(): boolean {
    return this.#parser.needsEof;
  }

  put(bytes: Uint8Array): number {
    const parser = this.#parser;
    let used = 0;
    let first: Uint8Array | undefined;
    let gathered: Uint8Array | undefined;
    let size = 0;
    let puts = 0;
    do {
      try {
        used += parser.put(used === 0 ? bytes : bytes.subarray(used));
      } catch (error) {
        if (first === undefined) throw error;
        // Valid bytes before the error are returned first; the next call throws the same error.
        break;
      }
      const { part } = parser;
      if (part.length === 0) continue;
      if (first === undefined) {
        first = part;
        size = part.length;
        continue;
      }
      const needed = size + part.length;
      if (gathered === undefined || needed > gathered.length) {
        // No more than the rest of the bytes can follow in this read.
        const larger = allocate(Math.min(needed + bytes.length - used, Math.max(2 * needed, 256)));
        larger.set(gathered ?? first);
        gathered = larger;
      }
      gathered.set(part, size);
      size = needed;
    } while (used < bytes.length && !parser.isDone && ++puts < this.#mostChunks);
    // A small part must not keep a large block alive.
    if (gathered !== undefined && size > gathered.length / 2) this.#part = gathered.subarray(0, size);
    else if (first !== undefined) this.#part = copyOf(gathered ?? first, size);
    return used;
  }

  end(): void {
    this.#parser.end();
  }

  result(): Uint8Array | undefined {
    return this.#part;
  }
}
