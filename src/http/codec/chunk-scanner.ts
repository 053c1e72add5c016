import { FlatBuffer } from "../../core/index.ts";
import { decodeLatin1 } from "../../core/internal.ts";
import { parseChunkExtensions, type ChunkExtensions } from "./chunk-extensions.ts";
import { httpError, limitError } from "../messages/errors.ts";
import { FieldScanner } from "./field-scanner.ts";
import { Fields } from "../messages/fields.ts";
import { cr, lf, skipValue } from "../messages/grammar.ts";
import { trailerOf } from "./trailer.ts";

// The scanner's states: what the next byte belongs to.
const sizeStart = 0;
const inSize = 1;
const inExtensions = 2;
const sizeLineFeed = 3;
const inData = 4;
const dataEnd = 5;
const dataLineFeed = 6;
const trailerStart = 7;
const endLineFeed = 8;
const inTrailer = 9;
const done = 10;

/** The most digits of a size, with leading zeros; every such size is below 2^52. */
const mostDigits = 13;

/** Limits of a chunked body, besides that of its data. */
export interface ChunkLimits {
  /**
   * The most bytes of one chunk's extensions. Those of all chunks together may have as many, and one more for each byte
   * of data.
   */
  readonly maxChunkExtensionSize: number;
  /** The most bytes of the trailer section, with the empty line that ends it. */
  readonly maxHeaderSize: number;
  /** The most trailer fields. */
  readonly maxHeadersCount: number;
}

/** Called for each chunk when the line of its size has been scanned, also for the last one, of size 0. */
export type ChunkHandler = (size: number, extensions: ChunkExtensions) => void;

// RFC 9112 7.1:
//   chunked-body = *chunk last-chunk trailer-section CRLF
//   chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//   last-chunk   = 1*("0") [ chunk-ext ] CRLF

/**
 * Finds the data in a chunked body. It can stop at any byte and continue from there. It consumes every byte that it
 * looks at, so each byte is looked at once.
 */
export class ChunkScanner {
  /** How many chunks have begun. */
  count = 0;
  readonly #limits: ChunkLimits;
  /** How many more bytes of extensions are allowed. Data adds to it, so extensions never cost more than data. */
  #allowance: number;
  #state = sizeStart;
  #digits = 0;
  #left = 0;
  #extensions = "";
  #fields: FieldScanner | undefined;
  /** The bytes of the trailer section, which the field scanner needs in one piece. */
  #section: FlatBuffer | undefined;
  #trailers: Fields | undefined;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
    this.#allowance = limits.maxChunkExtensionSize;
  }

  /** Whether the body has ended. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /** How many bytes of data come next; see {@link take}. */
  get left(): number {
    return this.#state === inData ? this.#left : 0;
  }

  /** The trailers, once done, without fields that are not allowed there (RFC 9110 6.5.1). */
  get trailers(): Fields {
    return (this.#trailers ??= new Fields());
  }

  /** Skips `count` bytes of data, at most {@link left}. */
  take(count: number): void {
    this.#left -= count;
    this.#allowance += count;
    if (this.#left === 0) this.#state = dataEnd;
  }

  /**
   * Continues at `position`, and returns where it stopped: at `end`, before the next byte of data, or after the body.
   * Throws `http.bad_chunk`, `http.bad_chunk_extension`, `http.bad_line_ending`, `http.chunk_extension_limit`,
   * `http.header_limit` for trailers that are too long, and the errors of a head's fields.
   */
  scan(bytes: Uint8Array, position: number, end: number, onChunk?: ChunkHandler): number {
    let at = position;
    while (at < end && this.#state !== inData && this.#state !== done) {
      const byte = bytes[at];
      switch (this.#state) {
        case sizeStart:
          if (hexDigit(byte) < 0) throw httpError("http.bad_chunk");
          this.#digits = this.#left = 0;
          this.#state = inSize;
          break;
        case inSize:
          if (hexDigit(byte) >= 0) this.#addDigit(hexDigit(byte));
          else if (byte === cr) this.#state = sizeLineFeed;
          else if (byte === lf) throw httpError("http.bad_line_ending");
          else {
            // RFC 9112 7.1.1: space may precede an extension; whether there is one shows at the end of the line.
            if (byte !== 0x3b && byte !== 0x20 && byte !== 0x09) throw httpError("http.bad_chunk");
            this.#state = inExtensions;
            break;
          }
          at++;
          break;
        case inExtensions:
          at = this.#takeExtensions(bytes, at, end);
          break;
        case sizeLineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          this.#state = this.#left === 0 ? trailerStart : inData;
          this.#tell(onChunk);
          at++;
          break;
        case dataEnd:
          if (byte !== cr) throw httpError("http.bad_chunk");
          this.#state = dataLineFeed;
          at++;
          break;
        case dataLineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          this.#state = sizeStart;
          at++;
          break;
        case trailerStart:
          // Most bodies have no trailers.
          this.#state = byte === cr ? endLineFeed : inTrailer;
          if (byte === cr) at++;
          break;
        case endLineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          this.#state = done;
          at++;
          break;
        case inTrailer:
          at = this.#takeTrailer(bytes, at, end);
          break;
      }
    }
    return at;
  }

  #addDigit(digit: number): void {
    if (++this.#digits > mostDigits) throw httpError("http.bad_chunk");
    this.#left = this.#left * 16 + digit;
  }

  #takeExtensions(bytes: Uint8Array, position: number, end: number): number {
    const at = skipValue(bytes, position, end);
    this.#allowance -= at - position;
    if (this.#allowance < 0 || this.#extensions.length + at - position > this.#limits.maxChunkExtensionSize) {
      throw limitError("maxChunkExtensionSize", this.#limits.maxChunkExtensionSize);
    }
    this.#extensions += decodeLatin1(bytes, position, at);
    if (at === end) return at;
    if (bytes[at] !== cr) throw httpError(bytes[at] === lf ? "http.bad_line_ending" : "http.bad_chunk_extension");
    this.#state = sizeLineFeed;
    return at + 1;
  }

  #tell(onChunk: ChunkHandler | undefined): void {
    this.count++;
    const extensions = parseChunkExtensions(this.#extensions);
    if (extensions === undefined) throw httpError("http.bad_chunk_extension");
    this.#extensions = "";
    onChunk?.(this.#left, extensions);
  }

  #takeTrailer(bytes: Uint8Array, position: number, end: number): number {
    const section = (this.#section ??= new FlatBuffer());
    const fields = (this.#fields ??= new FieldScanner(this.#limits.maxHeadersCount));
    const before = section.size;
    const room = this.#limits.maxHeaderSize - before;
    section.append(bytes.subarray(position, Math.min(end, position + room)));
    const after = fields.scan(section.data(), before, section.size);
    if (fields.isDone) {
      this.#state = done;
      this.#trailers = trailerOf(fields.collect(decodeLatin1(section.data(), 0, after)).collect());
      this.#section = undefined;
    } else if (section.size >= this.#limits.maxHeaderSize) {
      throw limitError("maxHeaderSize", this.#limits.maxHeaderSize);
    }
    return position + after - before;
  }
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
