import { FlatBuffer, type ServalError } from "../../core/index.ts";
import { checkNumber, checkObject } from "../../core/internal.ts";
import { httpError } from "../messages/errors.ts";
import { ResponseParser, type ResponseParserOptions } from "./response-parser.ts";
import type { Response } from "../messages/response.ts";

/** Options of an {@link FinalResponseParser}; the limits of head and headers hold for each response. */
export interface FinalResponseParserOptions extends Omit<ResponseParserOptions, "maxBodySize" | "eager"> {
  /** See {@link FinalResponseParser.maxBodySize}. Default 65,536. */
  maxBodySize?: number | undefined;
}

/** How many interim responses may come before the final one. */
export const mostInterim = 8;

/**
 * A strict, incremental parser of everything that answers one request: up to 8 interim responses (1xx), which it skips,
 * and the final one with its body, framed by Content-Length, chunks, or the end of the stream (RFC 9112 6.3). Bytes in,
 * a {@link Response} out, no I/O. A 101 is final: the bytes after it belong to another protocol.
 *
 * It is done at the end of the body, or as soon as it has `maxBodySize` bytes of it. After a body that {@link isCut}, the
 * bytes can't be interpreted.
 */
export class FinalResponseParser {
  /**
   * How many bytes of the body to read. With 0, the parser is done with the head, and a larger value makes it go on with
   * the body. May be changed until the first byte of the body is taken.
   */
  maxBodySize: number;
  readonly #options: ResponseParserOptions;
  #parser: ResponseParser;
  #interim = 0;
  /** Made for the first byte of a body that is wanted. */
  #body: FlatBuffer | undefined;
  /** Whether some of the body came and was not wanted. */
  #isOver = false;
  #error: ServalError | undefined;

  constructor(options: FinalResponseParserOptions = {}) {
    checkObject("The options", options, "an object");
    this.maxBodySize = checkNumber("maxBodySize", options.maxBodySize, 65_536);
    this.#options = options;
    this.#parser = this.#newParser();
  }

  /**
   * Takes bytes, from the first one not used yet, including those of earlier calls, and returns how many it has used
   * now. Keeps no reference to `bytes`.
   *
   * Throws the errors of {@link ResponseParser.put}, and `http.interim_limit` for more than 8 interim responses. After
   * an error every further call throws the same error. A parser that is done throws `http.stale_parser`.
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
   * Tells the parser that the stream has ended, which may end the body. Otherwise throws `http.end_of_stream` if no
   * byte has come, `http.partial_message` if some have.
   */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.isDone) return;
    if (this.#interim > 0 && !this.#parser.gotSome) throw (this.#error = httpError("http.partial_message"));
    this.#parser.end();
  }

  /** Whether the final response is complete, with as much of its body as is wanted. */
  get isDone(): boolean {
    return this.#isFinal && (this.#parser.isDone || this.#bodySize >= this.maxBodySize);
  }

  /** Whether there is a {@link response} whose body is not whole: by the limit, by an error, or since it still comes. */
  get isCut(): boolean {
    return this.#isFinal && (this.#isOver || !this.#parser.isDone);
  }

  /** Whether the body of the final response ends with the stream. */
  get needsEof(): boolean {
    return this.#isFinal && this.#parser.needsEof;
  }

  /**
   * The final response, once its head is complete and valid, with the body received so far; also if the rest fails or
   * has an unknown transfer coding.
   */
  get response(): Response | undefined {
    const head = this.#head;
    if (!this.#isFinal || this.#bodySize === 0) return this.#isFinal ? head : undefined;
    return head!.withBody(this.#body!.data().slice());
  }

  get #bodySize(): number {
    return this.#body?.size ?? 0;
  }

  get #isFinal(): boolean {
    const status = this.#head?.status ?? 100;
    return status >= 200 || status === 101;
  }

  get #head(): Response | undefined {
    const { response, unframed } = this.#parser;
    // If the length is ambiguous, the bytes may belong to another response altogether.
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
    }
    return used;
  }

  #newParser(): ResponseParser {
    const parser = new ResponseParser(this.#options);
    parser.maxBodySize = Infinity;
    return parser;
  }

  #passOver(): void {
    if (++this.#interim > mostInterim) throw httpError("http.interim_limit");
    this.#parser = this.#newParser();
  }

  /** Takes as much of a part as is wanted, and returns how many bytes are not. */
  #take(part: Uint8Array): number {
    const room = this.maxBodySize - this.#bodySize;
    this.#isOver = part.length > room;
    (this.#body ??= new FlatBuffer()).append(this.#isOver ? part.subarray(0, room) : part);
    return Math.max(0, part.length - room);
  }
}
