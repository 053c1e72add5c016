import { httpError, limitError } from "../messages/errors.ts";
import { cr, htab, lf, skipToken, skipValue, sp, tokenCharacters } from "../messages/grammar.ts";
import { ParsedFields } from "../messages/parsed-fields.ts";

// The scanner's states: what the next byte belongs to.
const lineStart = 0;
const inName = 1;
const inValue = 2;
const lineFeed = 3;
const lastLineFeed = 4;
const done = 5;

// RFC 9112 2.1 and 5, without obs-fold:
//   *( field-name ":" OWS field-value OWS CRLF ) CRLF

/**
 * Finds the field lines of a head, with the empty line that ends it. It can stop at any byte and continue from there,
 * so each byte is looked at once, and the first bad byte is the same for every split.
 */
export class FieldScanner {
  readonly #limit: number;
  #state = lineStart;
  #firstLine = 0;
  /** The positions of each field's colon and CR, and how many they are; what follows is of an earlier head. */
  readonly #marks: number[] = [];
  #count = 0;

  /** Takes the largest number of field lines. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Begins with another head. */
  reset(): void {
    this.#state = lineStart;
    this.#count = 0;
  }

  /** Whether the empty line has been scanned. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /**
   * Continues at `position`, and returns where it stopped: at `end`, or after the empty line. `bytes` must begin where
   * they began in earlier calls. Throws `http.bad_field`, `http.bad_value`, `http.bad_line_ending`, `http.bad_obs_fold`
   * or `http.field_limit`.
   */
  scan(bytes: Uint8Array, position: number, end: number): number {
    const marks = this.#marks;
    let count = this.#count;
    let state = this.#state;
    let at = position;
    while (at < end) {
      if (state === lineStart) {
        if (count === 0) this.#firstLine = at;
        const byte = bytes[at];
        if (byte === cr) {
          at++;
          state = lastLineFeed;
          continue;
        }
        if (tokenCharacters[byte] === 0) throw badLineStart(byte, count);
        if (count >= this.#limit * 2) throw limitError("maxHeadersCount", this.#limit);
        state = inName;
      }
      if (state === inName) {
        at = skipToken(bytes, at, end);
        if (at === end) break;
        // RFC 9112 5.1: no space between name and colon.
        if (bytes[at] !== 0x3a) throw httpError("http.bad_field");
        marks[count++] = at++;
        state = inValue;
      }
      if (state === inValue) {
        at = skipValue(bytes, at, end);
        if (at === end) break;
        const byte = bytes[at];
        if (byte !== cr) throw httpError(byte === lf ? "http.bad_line_ending" : "http.bad_value");
        marks[count++] = at++;
        state = lineFeed;
        if (at === end) break;
      }
      if (bytes[at++] !== lf) throw httpError("http.bad_line_ending");
      if (state === lastLineFeed) {
        state = done;
        break;
      }
      state = lineStart;
    }
    this.#state = state;
    this.#count = count;
    return at;
  }

  /** The fields, once done; `head` is the text of the bytes scanned. */
  collect(head: string): ParsedFields {
    return new ParsedFields(head, this.#firstLine, this.#marks.slice(0, this.#count));
  }
}

function badLineStart(byte: number, fields: number): Error {
  if (byte === lf) return httpError("http.bad_line_ending");
  // RFC 9112 5.2: a server refuses obs-fold. RFC 9112 2.2: space before the first field is refused too.
  if ((byte === sp || byte === htab) && fields > 0) return httpError("http.bad_obs_fold");
  return httpError("http.bad_field");
}
