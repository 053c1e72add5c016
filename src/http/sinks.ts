import { copyOf } from "../core/bytes.ts";
import { httpError } from "./errors.ts";
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

/** Wants some of the body: a copy of it, undefined at its end. */
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
    let used = 0;
    while (!this.isDone) {
      const size = this.#parser.put(used === 0 ? bytes : bytes.subarray(used));
      used += size;
      const { part } = this.#parser;
      if (part.length > 0) this.#part = copyOf(part, part.length);
      else if (used === bytes.length) break;
    }
    return used;
  }

  end(): void {
    this.#parser.end();
  }

  result(): Uint8Array | undefined {
    return this.#part;
  }
}
