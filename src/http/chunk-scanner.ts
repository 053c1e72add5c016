import { httpError } from "./errors.ts";
import { FieldScanner } from "./field-scanner.ts";
import { cr, htab, lf, skipValue, sp } from "./grammar.ts";

// Where the scanner stands: before the next byte to look at.
const sizeStart = 0;
const inSize = 1;
const beforeExtension = 2;
const inExtension = 3;
const sizeLineFeed = 4;
const inData = 5;
const dataEnd = 6;
const dataLineFeed = 7;
const inTrailer = 8;
const done = 9;

/** The most digits of a size, leading zeros among them: all below 2^52. */
const mostDigits = 13;
const semicolon = 0x3b;

// RFC 9112 7.1:
//   chunked-body = *chunk last-chunk trailer-section CRLF
//   chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//   last-chunk   = 1*("0") [ chunk-ext ] CRLF

/**
 * Finds the data in a chunked body. It can stop at any byte and go on from there, so a body is looked at once however
 * it arrives. Extensions are taken as any text up to the end of their line, and left out, as the trailer is (RFC 9112
 * 7.1.1 and 7.1.2).
 */
export class ChunkScanner {
  readonly #trailer: FieldScanner;
  /** How many more bytes the extensions and the trailer may have. */
  #allowance: number;
  #state = sizeStart;
  #digits = 0;
  #left = 0;

  /**
   * Takes the most bytes that all the extensions and the trailer may have together, and the most fields of the trailer:
   * nothing is kept of them, but they could go on for ever.
   */
  constructor(overheadLimit: number, fieldLimit: number) {
    this.#allowance = overheadLimit;
    this.#trailer = new FieldScanner(fieldLimit);
  }

  /** Whether the end of the body has been seen. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /** How many bytes of data come next, for {@link take}. */
  get left(): number {
    return this.#state === inData ? this.#left : 0;
  }

  /** Passes over `count` bytes of data, of those that are {@link left}. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#state = dataEnd;
  }

  /**
   * Goes on at `position`, and returns the position that it came to: `end`, the next byte of data, or the one behind the
   * body. Throws `http.bad_chunk`, `http.bad_chunk_extension`, `http.bad_line_ending`, `http.header_limit` for more
   * extensions and trailer than allowed, and for a trailer what a head's fields may throw.
   */
  scan(bytes: Uint8Array, position: number, end: number): number {
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
            this.#state = beforeExtension;
            break;
          }
          at++;
          break;
        case beforeExtension:
          // RFC 9112 7.1.1: space may stand before an extension, but not before the end of the line.
          if (byte === semicolon) this.#state = inExtension;
          else if (byte !== sp && byte !== htab) throw httpError("http.bad_chunk");
          this.#spend(1);
          at++;
          break;
        case inExtension: {
          const to = skipValue(bytes, at, end);
          this.#spend(to - at);
          at = to;
          if (at === end) break;
          if (bytes[at] !== cr) throw httpError(bytes[at] === lf ? "http.bad_line_ending" : "http.bad_chunk_extension");
          this.#state = sizeLineFeed;
          at++;
          break;
        }
        case sizeLineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          this.#state = this.#left === 0 ? inTrailer : inData;
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
        case inTrailer: {
          // Its fields are never collected, so it does not matter where the bytes begin.
          const to = this.#trailer.scan(bytes, at, Math.min(end, at + this.#allowance + 1));
          this.#spend(to - at);
          at = to;
          if (this.#trailer.isDone) this.#state = done;
          break;
        }
      }
    }
    return at;
  }

  #addDigit(digit: number): void {
    if (++this.#digits > mostDigits) throw httpError("http.bad_chunk");
    this.#left = this.#left * 16 + digit;
  }

  #spend(count: number): void {
    this.#allowance -= count;
    if (this.#allowance < 0) throw httpError("http.header_limit");
  }
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
