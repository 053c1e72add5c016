import { FlatBuffer, type ServalError } from "../../core/index.ts";
import {
  checkBoolean,
  checkFunction,
  checkNumber,
  checkOptions,
  copyOf,
  decodeLatin1,
  ownOptions,
} from "../../core/internal.ts";
import { emptyBody } from "../messages/body.ts";
import { ChunkScanner, type ChunkHandler } from "./chunk-scanner.ts";
import { httpError, limitError } from "../messages/errors.ts";
import { FieldScanner } from "./field-scanner.ts";
import { Fields } from "../messages/fields.ts";
import type { Framing } from "../messages/framing.ts";

/** Limits of a message, and what to parse of it. */
export interface MessageParserOptions {
  /** The most bytes of the head, with the empty line that ends it, and of the trailers. Default 16,384. */
  maxHeaderSize?: number | undefined;
  /** The most field lines of the head, and of the trailers. Default 100. */
  maxHeadersCount?: number | undefined;
  /** The most bytes of the body; Infinity for no limit. Default 1 MiB for a request, 8 MiB for a response. */
  maxBodySize?: number | undefined;
  /**
   * The most bytes of one chunk's extensions. Those of all chunks together may have as many, and one more for each byte
   * of data. Default 4,096.
   */
  maxChunkExtensionSize?: number | undefined;
  /** Whether no body follows the head even if the head announces one; it must be valid all the same. Default false. */
  skipBody?: boolean | undefined;
  /** See {@link MessageParser.eager}. Default false. */
  eager?: boolean | undefined;
  /** Called when a chunk of the body begins, after its size line. The last chunk has size 0. */
  chunk?: ChunkHandler | undefined;
}

const parserOptions = ownOptions(
  "A parser",
  ["maxHeaderSize", "maxHeadersCount", "maxBodySize", "maxChunkExtensionSize", "skipBody", "eager", "chunk", "method"],
  "{ maxBodySize: 1_000_000 }",
);
let checked: MessageParserOptions | undefined;

/** Checks the options whose values are used as they are. */
function checkParser(options: MessageParserOptions): void {
  checkOptions(parserOptions, options);
  checkBoolean("eager", options.eager, false);
  checkBoolean("skipBody", options.skipBody, false);
  checkFunction("chunk", options.chunk);
  checked = options;
}

/** Finds the parts of a start line. It can stop at any byte and continue from there. */
export interface StartLineScanner {
  /** Whether the line is complete. */
  readonly isDone: boolean;
  /** Begins with another line. */
  reset(): void;
  /** Whether any byte of it has been scanned. */
  readonly gotSome: boolean;
  /** What is too long if the line has reached the largest size of a head; undefined if that is the head. */
  readonly longPart?: "method" | "target";
  /** Continues at `position`, and returns where it stopped, `end` at the latest. Throws if the line is malformed. */
  scan(bytes: Uint8Array, position: number, end: number): number;
}

/** What a parser sets on a message. */
interface Parsed {
  readonly keepAlive: boolean;
  body: unknown;
}

/** A body of a known size up to this gets its memory at once; the memory of a larger one grows as it arrives. */
const mostReserved = 65_536;

/**
 * The common part of the parsers of requests and responses: a start line, then fields, then the body. Bytes in, a
 * message out, no I/O.
 */
export abstract class MessageParser<Line extends StartLineScanner, Message extends Parsed> {
  /**
   * Whether `put` continues after the head and after each part of the body, and collects the body in the message. If
   * not, it stops there, and {@link part} has the current bytes of the body. May be changed at any time.
   */
  eager: boolean;
  /** The most bytes of the body. May be changed until its first byte is taken. */
  maxBodySize: number;
  #message: Message | undefined;
  #unframed: Message | undefined;
  readonly #options: MessageParserOptions;
  readonly #maxHeaderSize: number;
  readonly #line: Line;
  readonly #fields: FieldScanner;
  #position = 0;
  #error: ServalError | undefined;
  #isDone = false;
  #framing: Framing = 0;
  #chunks: ChunkScanner | undefined;
  /** How many bytes of the body are still to come if it is not chunked; Infinity if it ends with the stream. */
  #left = 0;
  #received = 0;
  #part: Uint8Array = emptyBody;
  #gathered: FlatBuffer | undefined;

  constructor(line: Line, options: MessageParserOptions, maxBodySize: number) {
    // A server makes a parser for each request, always with the same options.
    if (options !== checked) checkParser(options);
    this.#line = line;
    this.#options = options;
    this.#maxHeaderSize = checkNumber("maxHeaderSize", options.maxHeaderSize, 16_384);
    this.maxBodySize = checkNumber("maxBodySize", options.maxBodySize, maxBodySize);
    this.eager = options.eager ?? false;
    this.#fields = new FieldScanner(checkNumber("maxHeadersCount", options.maxHeadersCount, 100));
    checkNumber("maxChunkExtensionSize", options.maxChunkExtensionSize, 0);
  }

  /**
   * Takes bytes and returns how many of them are used; the others must come again, with more after them. Until the head
   * is complete that is none: each call takes all bytes since the message's first one, and does not look at those of
   * earlier calls again. Then it stops after the head, after each {@link part} of the body and after the message,
   * unless it is {@link eager}. Keeps no reference to `bytes`.
   *
   * Throws at the first byte that can't be part of such a message. In the start line: `http.bad_start_line`,
   * `http.bad_version` for another version than 1.0 and 1.1; for a request `http.bad_method`, `http.bad_target`, and
   * `http.method_limit` or `http.target_limit` if these alone reach `maxHeaderSize`; for a response `http.bad_status`,
   * `http.bad_reason`. In the head: `http.bad_line_ending`, `http.bad_field`, `http.bad_value`, `http.bad_obs_fold`,
   * `http.field_limit`, `http.header_limit`. At the end of the head: `http.bad_content_length`,
   * `http.multiple_content_length`, `http.bad_transfer_encoding`, `http.unknown_transfer_coding`. When the body begins,
   * or in it: `http.body_limit`; in chunks: `http.bad_chunk`, `http.bad_chunk_extension`, `http.chunk_extension_limit`.
   * After an error every further call throws the same error. A parser that is done throws `http.stale_parser`.
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
   * Begins with another message, as a new parser would. Only for one whose body, if it has any, nobody reads. @internal
   */
  reset(): void {
    this.#message = this.#unframed = this.#error = undefined;
    this.#line.reset();
    this.#fields.reset();
    this.#position = this.#left = this.#received = 0;
    this.#isDone = false;
    this.#framing = 0;
    this.#chunks = undefined;
    this.#part = emptyBody;
    this.#gathered = undefined;
  }

  /**
   * Tells the parser that the stream has ended, which may end the body. Otherwise throws `http.end_of_stream` if no
   * byte of a message has come, `http.partial_message` if some have.
   */
  end(): void {
    if (this.#isDone) return;
    if (this.#error !== undefined) throw this.#error;
    if (this.#message !== undefined && this.#framing === "eof") this.#finish();
    else throw (this.#error = httpError(this.gotSome ? "http.partial_message" : "http.end_of_stream"));
  }

  /**
   * The message, once its head is complete and valid; its body is complete when the parser is done, if it is {@link
   * eager}.
   */
  get message(): Message | undefined {
    return this.#message;
  }

  /** The message with a complete head, if the parser failed because the end of the message is unknown. @internal */
  get unframed(): Message | undefined {
    return this.#unframed;
  }

  /** Whether a byte of the message has come, good or bad; an empty line before a request does not count. */
  get gotSome(): boolean {
    return this.#line.gotSome;
  }

  /** Whether the head is complete and valid, so that there is a message, perhaps without its body. */
  get isHeaderDone(): boolean {
    return this.#message !== undefined;
  }

  /** Whether the message is complete. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the body is chunked. */
  get chunked(): boolean {
    return this.#framing === "chunked";
  }

  /** How many chunks of the body have begun. @internal */
  get chunkCount(): number {
    return this.#chunks?.count ?? 0;
  }

  /** Whether the body ends with the stream, which only a response's can. */
  get needsEof(): boolean {
    return this.#framing === "eof";
  }

  /**
   * The size of the body in bytes, by Content-Length; 0 if no body follows. Undefined until the head is complete, and
   * if the body is chunked or ends with the stream.
   */
  get contentLength(): number | undefined {
    return typeof this.#framing === "number" && this.#message !== undefined ? this.#framing : undefined;
  }

  /** How many bytes of the body are still to come, if {@link contentLength} is known. */
  get contentLengthRemaining(): number | undefined {
    return this.contentLength === undefined ? undefined : this.#left;
  }

  /** Whether a body may follow the head. */
  get hasBody(): boolean {
    return this.#framing !== 0;
  }

  /** Whether the connection can be used for another message after this one (RFC 9112 9.3). */
  get keepAlive(): boolean {
    return this.#message?.keepAlive === true;
  }

  /**
   * The body's bytes that the last call of `put` has reached, possibly none. A view of the bytes passed to `put`, and
   * valid only as long as they are. Not for {@link eager}.
   */
  get part(): Uint8Array {
    return this.#part;
  }

  /** The trailers of a chunked body, once done, without fields that are not allowed there (RFC 9110 6.5.1). */
  get trailers(): Fields {
    return this.#chunks?.trailers ?? new Fields();
  }

  /** Makes the message from its complete head, whose text is `head`. */
  protected abstract build(line: Line, head: string, headers: Fields): Message;

  /** How the body of a message is framed. Throws if the framing is invalid. */
  protected abstract frame(message: Message): Framing;

  #parse(bytes: Uint8Array): number {
    this.#part = emptyBody;
    let used = 0;
    if (this.#message === undefined) {
      used = this.#parseHead(bytes);
      if (used === 0 || this.#isDone || !this.eager) return used;
    }
    do used = this.#parseBody(bytes, used);
    while (this.eager && used < bytes.length && !this.#isDone);
    return used;
  }

  #parseHead(bytes: Uint8Array): number {
    const end = Math.min(bytes.length, this.#maxHeaderSize);
    if (!this.#line.isDone) this.#position = this.#line.scan(bytes, this.#position, end);
    if (this.#line.isDone) this.#position = this.#fields.scan(bytes, this.#position, end);
    if (this.#fields.isDone) {
      this.#takeHead(decodeLatin1(bytes, 0, this.#position));
      return this.#position;
    }
    if (end === this.#maxHeaderSize) throw this.#tooLong();
    return 0;
  }

  #tooLong(): ServalError {
    const part = this.#line.isDone ? undefined : this.#line.longPart;
    return limitError("maxHeaderSize", this.#maxHeaderSize, part === undefined ? undefined : `http.${part}_limit`);
  }

  #takeHead(head: string): void {
    const message = this.build(this.#line, head, Fields.fromParsed(this.#fields.collect(head)));
    this.#unframed = message;
    const framing = this.frame(message);
    this.#unframed = undefined;
    this.#message = message;
    this.#framing = this.#options.skipBody === true ? 0 : framing;
    if (this.#framing === 0) {
      this.#isDone = true;
    } else if (this.#framing === "chunked") {
      const { maxChunkExtensionSize = 4096, maxHeadersCount = 100 } = this.#options;
      const limits = { maxChunkExtensionSize, maxHeaderSize: this.#maxHeaderSize, maxHeadersCount };
      this.#chunks = new ChunkScanner(limits);
    } else {
      this.#left = this.#framing === "eof" ? Infinity : this.#framing;
    }
  }

  /** Takes the body from `position` on, up to the next part of it, and returns where it stopped. */
  #parseBody(bytes: Uint8Array, position: number): number {
    const chunks = this.#chunks;
    let at = position;
    if (chunks !== undefined) at = chunks.scan(bytes, at, bytes.length, this.#options.chunk);
    const left = chunks === undefined ? this.#left : chunks.left;
    const room = this.maxBodySize - this.#received;
    // A size over the limit fails before any of the body arrives. A body that ends with the stream has none, and fails
    // at the first byte over the limit: those before it are taken, however they were split.
    const told = left === Infinity ? Math.min(1, bytes.length - at) : left;
    if (told > room) throw limitError("maxBodySize", this.maxBodySize);
    const size = Math.min(left, room, bytes.length - at);
    if (size > 0) {
      this.#part = bytes.subarray(at, at + size);
      this.#received += size;
      if (chunks === undefined) this.#left -= size;
      else chunks.take(size);
      at += size;
    }
    const isLast = chunks === undefined ? this.#left === 0 : chunks.isDone;
    if (this.eager && size > 0) this.#gather(isLast);
    if (isLast) this.#finish();
    return at;
  }

  #gather(isLast: boolean): void {
    if (isLast && this.#gathered === undefined) {
      // Most bodies arrive in one piece.
      this.#message!.body = copyOf(this.#part, this.#part.length);
      return;
    }
    if (this.#gathered === undefined) {
      this.#gathered = new FlatBuffer();
      if (this.#left <= mostReserved) this.#gathered.prepare(this.#part.length + this.#left);
    }
    this.#gathered.append(this.#part);
  }

  #finish(): void {
    this.#isDone = true;
    if (this.#gathered !== undefined) this.#message!.body = this.#gathered.data();
    this.#gathered = undefined;
  }
}
