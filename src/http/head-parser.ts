import type { ServalError } from "../core/error.ts";
import { decodeLatin1 } from "../core/text.ts";
import { httpError } from "./errors.ts";
import { FieldScanner } from "./field-scanner.ts";
import { Fields } from "./fields.ts";
import { contentLength } from "./framing.ts";

/** Limits of a message's head. */
export interface HeadParserOptions {
  /** The most bytes that the head may have, through the empty line that ends it. Default 16,384. */
  headerLimit?: number;
  /** The most fields that the head may have. Default 100. */
  fieldLimit?: number;
}

/** What finds the parts of a start line. It can stop at any byte and go on from there. */
export interface StartLineScanner {
  /** Whether the line has been seen to its end. */
  readonly isDone: boolean;
  /** Whether any of it has been seen. */
  readonly gotSome: boolean;
  /** Goes on at `position`, `end` at the latest, and returns the position that it came to. Throws for what is wrong. */
  scan(bytes: Uint8Array, position: number, end: number): number;
}

/** What the parsers of requests' and responses' heads have in common: a start line, then fields, then the message. */
export abstract class HeadParser<Line extends StartLineScanner, Message> {
  protected message: Message | undefined;
  readonly #headerLimit: number;
  readonly #line: Line;
  readonly #fields: FieldScanner;
  #position = 0;
  #error: ServalError | undefined;
  #contentLength: number | undefined;

  constructor(line: Line, options: HeadParserOptions) {
    this.#line = line;
    this.#headerLimit = options.headerLimit ?? 16_384;
    this.#fields = new FieldScanner(options.fieldLimit ?? 100);
  }

  /**
   * Takes all bytes from the message's first one on: those of the calls before, which are not looked at again, and new
   * ones behind them. Returns how many of them are used up: the size of the head once it is there, and 0 while more is
   * needed. Nothing of `bytes` is kept.
   *
   * Throws at the first byte that no message of this kind could have: what is wrong with the start line (for a request
   * `http.bad_method`, `http.bad_target`, `http.bad_version`, for a response `http.bad_version`, `http.bad_status`,
   * `http.bad_reason`), `http.bad_line_ending`, `http.bad_field`, `http.bad_value`, `http.bad_obs_fold`,
   * `http.field_limit`, `http.header_limit`; and at the end of the head `http.bad_content_length`,
   * `http.multiple_content_length`, `http.bad_transfer_encoding`. The parser has failed then, and every further call
   * throws the same. A parser that is done throws `http.stale_parser`.
   */
  put(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    if (this.message !== undefined) throw httpError("http.stale_parser");
    try {
      return this.#parse(bytes);
    } catch (error) {
      this.#error = error as ServalError;
      throw error;
    }
  }

  /** Whether the head is complete. */
  get isDone(): boolean {
    return this.message !== undefined;
  }

  /** Whether any of the message was seen; an empty line before a request does not count. */
  get gotSome(): boolean {
    return this.#line.gotSome;
  }

  /** The size of the head in bytes, through its empty line; 0 until it is complete. */
  get headSize(): number {
    return this.message === undefined ? 0 : this.#position;
  }

  /**
   * What Content-Length has in bytes; undefined where there is none. Whether a response has a body of that length depends
   * on its status and on what it answers: RFC 9112 6.3.
   */
  get contentLength(): number | undefined {
    return this.#contentLength;
  }

  /** The message, once its head is there; `head` is the text of it. */
  protected abstract build(line: Line, head: string, fields: Fields): Message;

  #parse(bytes: Uint8Array): number {
    const end = Math.min(bytes.length, this.#headerLimit);
    if (!this.#line.isDone) this.#position = this.#line.scan(bytes, this.#position, end);
    if (this.#line.isDone) this.#position = this.#fields.scan(bytes, this.#position, end);
    if (this.#fields.isDone) return this.#finish(decodeLatin1(bytes, 0, this.#position));
    if (end === this.#headerLimit) throw httpError("http.header_limit");
    return 0;
  }

  #finish(head: string): number {
    const fields = Fields.fromParsed(this.#fields.collect(head));
    this.#contentLength = contentLength(fields);
    this.message = this.build(this.#line, head, fields);
    return this.#position;
  }
}
