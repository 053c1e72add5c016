import { FlatBuffer, type ServalError } from "../../core/index.ts";
import { httpError } from "../messages/errors.ts";
import { ResponseParser, type ResponseParserOptions } from "./response-parser.ts";
import { Response } from "../messages/response.ts";

/** Options of an {@link FinalResponseParser}; its limits of heads and headers hold for each response. */
export interface FinalResponseParserOptions extends Omit<ResponseParserOptions, "maxBodySize" | "eager"> {
  /** The most bytes of the body that are taken. Default 65,536. */
  maxBodySize?: number | undefined;
}

/** How many interim responses may come before the final one. */
export const mostInterim = 8;

/**
 * A strict, incremental parser of all that answers one request: up to 8 interim responses (1xx), which it passes over,
 * and the final one with its body, by Content-Length, chunked, or up to the end of the stream (RFC 9112 6.3). Bytes in,
 * a {@link Response} out, no I/O. A 101 is final: what is after it is another protocol's.
 *
 * It is done at the end of the body, or as soon as that has `maxBodySize` bytes. A body of that size may be cut, and
 * nothing can be said of what comes after it; with 0, the head alone is taken.
 */
export class FinalResponseParser {
  readonly #options: ResponseParserOptions;
  readonly #maxBodySize: number;
  #parser: ResponseParser;
  #interim = 0;
  readonly #body: FlatBuffer = new FlatBuffer();
  #isCut = false;
  #error: ServalError | undefined;

  constructor({ maxBodySize = 65_536, ...options }: FinalResponseParserOptions = {}) {
    this.#options = { ...options, maxBodySize: Infinity };
    this.#maxBodySize = maxBodySize;
    this.#parser = new ResponseParser(this.#options);
  }

  /**
   * Takes bytes from the first one on that is not used up yet, those of the calls before among them, and returns how
   * many it has used up now. Nothing of `bytes` is kept.
   *
   * Throws what {@link ResponseParser.put} does, and `http.interim_limit` for more than 8 interim responses. The parser
   * has failed then, and every further call throws the same. A parser that is done throws `http.stale_parser`.
   */
  put(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    if (this.isDone) throw httpError("http.stale_parser");
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
    if (this.#error !== undefined) throw this.#error;
    if (this.isDone) return;
    if (this.#interim > 0 && !this.#parser.gotSome) throw (this.#error = httpError("http.partial_message"));
    this.#parser.end();
  }

  /** Whether the final response is there, with all that is taken of its body. */
  get isDone(): boolean {
    return this.#isCut || (this.#parser.isDone && this.#isFinal);
  }

  /**
   * The final response, once its head is complete and sound, with as much of the body as has come: also where the rest
   * fails to, or has a transfer coding that is not known here.
   */
  get response(): Response | undefined {
    const head = this.#head;
    if (!this.#isFinal || this.#body.size === 0) return this.#isFinal ? head : undefined;
    return new Response({ ...head, body: this.#body.data().slice() });
  }

  get #isFinal(): boolean {
    const status = this.#head?.status ?? 100;
    return status >= 200 || status === 101;
  }

  get #head(): Response | undefined {
    const { response, unframed } = this.#parser;
    // One whose length is in doubt may be somebody else's altogether.
    return response ?? (unframed?.headers.has("Content-Length") === true ? undefined : unframed);
  }

  #parse(bytes: Uint8Array): number {
    let used = 0;
    while (!this.isDone) {
      const size = this.#parser.put(bytes.subarray(used));
      used += size;
      if (this.#parser.part.length > 0) used -= this.#take(this.#parser.part);
      else if (size === 0) break;
      else if (this.#parser.isHeaderDone && !this.#isFinal) this.#passOver();
      else if (this.#maxBodySize === 0 && this.#isFinal) this.#isCut = true;
    }
    return used;
  }

  #passOver(): void {
    if (++this.#interim > mostInterim) throw httpError("http.interim_limit");
    this.#parser = new ResponseParser(this.#options);
  }

  /** Takes as much of a part as is wanted, and returns how much is not. */
  #take(part: Uint8Array): number {
    const room = this.#maxBodySize - this.#body.size;
    this.#body.append(part.length > room ? part.subarray(0, room) : part);
    this.#isCut = this.#body.size >= this.#maxBodySize && !this.#parser.isDone;
    return Math.max(0, part.length - room);
  }
}
