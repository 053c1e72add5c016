import type { ServalError } from "../core/error.ts";
import { FlatBuffer } from "../core/flat-buffer.ts";
import { ChunkScanner } from "./chunk-scanner.ts";
import { httpError } from "./errors.ts";
import { ResponseParser, type ResponseParserOptions } from "./response-parser.ts";
import { Response } from "./response.ts";
import { isBodiless } from "./status.ts";

/** Options of an {@link AnswerParser}; its limits of heads and fields hold for each response, and for a trailer. */
export interface AnswerParserOptions extends ResponseParserOptions {
  /** The method of the request that is answered: what answers HEAD and CONNECT may have no body. Default `GET`. */
  method?: string;
  /** The most bytes of the body that are taken. Default 65,536. */
  bodyLimit?: number;
}

/** How many interim responses may come before the final one. */
const mostInterim = 8;

/**
 * A strict, incremental parser of all that answers one request: up to 8 interim responses (1xx), which it passes over,
 * and the final one with its body, by Content-Length, chunked, or up to the end of the stream (RFC 9112 6.3). Bytes in,
 * a {@link Response} out, no I/O. A 101 is final: what is behind it is another protocol's.
 *
 * It is done at the end of the body, or as soon as that has `bodyLimit` bytes. A body of that size may be cut, and
 * nothing can be said of what comes behind it; with 0, the head alone is taken.
 */
export class AnswerParser {
  readonly #options: AnswerParserOptions;
  #head: ResponseParser;
  #interim = 0;
  /** The final response, without its body. */
  #final: Response | undefined;
  readonly #body: FlatBuffer = new FlatBuffer();
  #chunks: ChunkScanner | undefined;
  /** How many more bytes of the body are taken. */
  #left = 0;
  #endsWithStream = false;
  #isDone = false;
  #error: ServalError | undefined;

  constructor(options: AnswerParserOptions = {}) {
    this.#options = options;
    this.#head = new ResponseParser(options);
  }

  /**
   * Takes bytes from the first one on that is not used up yet, those of the calls before among them, and returns how
   * many it has used up now. Nothing of `bytes` is kept.
   *
   * Throws what {@link ResponseParser.put} does; `http.interim_limit` for more than 8 interim responses;
   * `http.bad_transfer_encoding` for any but `chunked`; for chunks that are wrong `http.bad_chunk`,
   * `http.bad_chunk_extension`, `http.bad_line_ending`, `http.header_limit`. The parser has failed then, and every further
   * call throws the same. A parser that is done throws `http.stale_parser`.
   */
  put(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    if (this.#isDone) throw httpError("http.stale_parser");
    try {
      return this.#parse(bytes);
    } catch (error) {
      this.#error = error as ServalError;
      throw error;
    }
  }

  /**
   * The stream has ended, which may be how the body ends. Otherwise throws `http.end_of_stream` where nothing has come,
   * and `http.partial_message` where something has.
   */
  end(): void {
    if (this.#endsWithStream) this.#isDone = true;
    if (this.#isDone) return;
    const gotSome = this.#interim > 0 || this.#head.gotSome;
    throw (this.#error = httpError(gotSome ? "http.partial_message" : "http.end_of_stream"));
  }

  /** Whether the final response is there, with all that is taken of its body. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * The final response, once its head is complete and sound, with as much of the body as has come: also where the rest
   * fails to.
   */
  get response(): Response | undefined {
    if (this.#final === undefined || this.#body.size === 0) return this.#final;
    return new Response({ ...this.#final, body: this.#body.data().slice() });
  }

  #parse(bytes: Uint8Array): number {
    let used = 0;
    while (this.#final === undefined) {
      const size = this.#head.put(bytes.subarray(used));
      if (size === 0) return used;
      used += size;
      this.#takeHead(this.#head.response!, this.#head.contentLength);
    }
    return this.#takeBody(bytes, used);
  }

  #takeHead(response: Response, contentLength: number | undefined): void {
    const { status, version, fields } = response;
    if (status < 200 && status !== 101) {
      if (++this.#interim > mostInterim) throw httpError("http.interim_limit");
      this.#head = new ResponseParser(this.#options);
      return;
    }
    this.#final = response;
    const { method = "GET", headerLimit = 16_384, fieldLimit = 100, bodyLimit = 65_536 } = this.#options;
    // RFC 9112 6.3, rules 1 and 2.
    const isTunnel = method === "CONNECT" && status < 300;
    if (isBodiless(status) || method === "HEAD" || isTunnel || bodyLimit === 0) {
      this.#isDone = true;
      return;
    }
    const encoding = fields.joined("Transfer-Encoding");
    if (encoding !== undefined) {
      // RFC 9112 6.1: HTTP/1.0 has none, so its framing can't be trusted.
      if (version < 11 || encoding.toLowerCase() !== "chunked") throw httpError("http.bad_transfer_encoding");
      this.#chunks = new ChunkScanner(headerLimit, fieldLimit);
    } else {
      // RFC 9112 6.3, rule 8: the body of a response can end with the connection.
      this.#endsWithStream = contentLength === undefined;
    }
    this.#left = Math.min(contentLength ?? Infinity, bodyLimit);
    this.#isDone = this.#left === 0;
  }

  /** Takes the body from `position` on, and returns the position that it came to. */
  #takeBody(bytes: Uint8Array, position: number): number {
    const chunks = this.#chunks;
    let at = position;
    while (at < bytes.length && !this.#isDone) {
      if (chunks !== undefined) {
        at = chunks.scan(bytes, at, bytes.length);
        this.#isDone = chunks.isDone;
      }
      const size = Math.min(chunks?.left ?? Infinity, this.#left, bytes.length - at);
      if (size === 0) continue;
      this.#body.append(bytes.subarray(at, at + size));
      chunks?.take(size);
      at += size;
      this.#left -= size;
      if (this.#left === 0) this.#isDone = true;
    }
    return at;
  }
}
