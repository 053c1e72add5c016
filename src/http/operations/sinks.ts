import { copyOf } from "../../core/internal.ts";
import { httpError } from "../messages/errors.ts";
import type { Sink } from "./read-operation.ts";

/** A parser of either kind of message, as the composed reads use it: a `RequestParser` or a `ResponseParser`. */
export interface Parser<Parsed> {
  eager: boolean;
  readonly message: Parsed | undefined;
  readonly isHeaderDone: boolean;
  readonly isDone: boolean;
  readonly part: Uint8Array;
  put(bytes: Uint8Array): number;
  end(): void;
}

/** The parsers whose whole messages have been handed out. */
const taken = new WeakSet<object>();

/** Wants a message: its head alone, or all of it. */
export class MessageSink<Parsed> implements Sink<Parsed> {
  readonly #parser: Parser<Parsed>;
  readonly #isWhole: boolean;

  constructor(parser: Parser<Parsed>, wants: "head" | "message") {
    this.#parser = parser;
    this.#isWhole = wants === "message";
    // A loop that goes on with one parser would be given the same message for ever.
    if (this.#isWhole ? taken.has(parser) : parser.isHeaderDone) throw httpError("http.stale_parser");
    parser.eager = this.#isWhole;
  }

  get isDone(): boolean {
    return this.#isWhole ? this.#parser.isDone : this.#parser.isHeaderDone;
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

/**
 * Wants as much of the body as there is: a copy of it, undefined at its end. It does not stop after each
 * chunk: thousands of tiny ones in one read must not cost as many turns of the event loop.
 */
export class PartSink implements Sink<Uint8Array | undefined> {
  readonly #parser: Parser<unknown>;
  #part: Uint8Array | undefined;

  constructor(parser: Parser<unknown>) {
    if (!parser.isHeaderDone) throw httpError("http.need_header");
    this.#parser = parser;
    parser.eager = false;
  }

  get isDone(): boolean {
    return this.#part !== undefined || this.#parser.isDone;
  }

  put(bytes: Uint8Array): number {
    const parser = this.#parser;
    let used = 0;
    let first: Uint8Array | undefined;
    let gathered: Uint8Array | undefined;
    let size = 0;
    do {
      try {
        used += parser.put(used === 0 ? bytes : bytes.subarray(used));
      } catch (error) {
        if (first === undefined) throw error;
        // What was sound before it is handed out; the next call throws the same.
        break;
      }
      const { part } = parser;
      if (part.length === 0) continue;
      if (first === undefined) {
        first = part;
        size = part.length;
        continue;
      }
      if (gathered === undefined) {
        // No more than that can come.
        gathered = new Uint8Array(size + part.length + bytes.length - used);
        gathered.set(first);
      }
      gathered.set(part, size);
      size += part.length;
    } while (used < bytes.length && !parser.isDone);
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
