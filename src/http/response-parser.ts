import type { ServalError } from "../core/error.ts";
import { decodeLatin1 } from "../core/text.ts";
import { httpError } from "./errors.ts";
import { FieldScanner } from "./field-scanner.ts";
import { Fields } from "./fields.ts";
import { contentLength } from "./framing.ts";
import { Response } from "./response.ts";
import { StatusLineScanner } from "./status-line-scanner.ts";

/** Options of a {@link ResponseParser}. */
export interface ResponseParserOptions {
  /** The most bytes that the head may have, through the empty line that ends it. Default 16,384. */
  headerLimit?: number;
  /** The most fields that the head may have. Default 100. */
  fieldLimit?: number;
}

/**
 * A strict, incremental parser of one response's head: bytes in, a {@link Response} without its body out, no I/O.
 * Beast's `response_parser`.
 *
 * It takes HTTP/1.0 and 1.1 with lines that end in CR LF and nothing looser, but a status line that ends behind the
 * status. What it makes of its bytes does not depend on how they were split.
 */
export class ResponseParser {
  readonly #headerLimit: number;
  readonly #line: StatusLineScanner = new StatusLineScanner();
  readonly #fields: FieldScanner;
  #position = 0;
  #error: ServalError | undefined;
  #response: Response | undefined;
  #contentLength: number | undefined;

  constructor(options: ResponseParserOptions = {}) {
    this.#headerLimit = options.headerLimit ?? 16_384;
    this.#fields = new FieldScanner(options.fieldLimit ?? 100);
  }

  /**
   * Takes all bytes from the message's first one on: those of the calls before, which are not looked at again, and new
   * ones behind them. Returns how many of them are used up: the size of the head once it is there, and 0 while more is
   * needed. Nothing of `bytes` is kept.
   *
   * Throws at the first byte that no response could have: `http.bad_version`, `http.bad_status`, `http.bad_reason`,
   * `http.bad_line_ending`, `http.bad_field`, `http.bad_value`, `http.bad_obs_fold`, `http.field_limit`,
   * `http.header_limit`; and at the end of the head `http.bad_content_length`, `http.multiple_content_length`,
   * `http.bad_transfer_encoding`. The parser has failed then, and every further call throws the same. A parser that is
   * done throws `http.stale_parser`.
   */
  put(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    if (this.#response !== undefined) throw httpError("http.stale_parser");
    try {
      return this.#parse(bytes);
    } catch (error) {
      this.#error = error as ServalError;
      throw error;
    }
  }

  /** Whether the head is complete. */
  get isDone(): boolean {
    return this.#response !== undefined;
  }

  /** Whether any of the message was seen. */
  get gotSome(): boolean {
    return this.#line.gotSome;
  }

  /** The response, without its body, once the head is complete and its framing is sound. */
  get response(): Response | undefined {
    return this.#response;
  }

  /** The size of the head in bytes, through its empty line; 0 until it is complete. */
  get headSize(): number {
    return this.#response === undefined ? 0 : this.#position;
  }

  /**
   * What Content-Length has in bytes; undefined where there is none. Whether a body of that length follows depends on
   * the status and on what is answered: RFC 9112 6.3.
   */
  get contentLength(): number | undefined {
    return this.#contentLength;
  }

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
    this.#response = new Response({
      status: this.#line.status,
      reason: this.#line.reason(head),
      version: this.#line.version,
      fields,
    });
    return this.#position;
  }
}
