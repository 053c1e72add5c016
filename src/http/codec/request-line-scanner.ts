import { httpError } from "../messages/errors.ts";
import { anyDigit, cr, httpVersion, lf, sp, skipTarget, skipToken, tokenCharacters } from "../messages/grammar.ts";

// The scanner's states: what the next byte belongs to.
const start = 0;
const emptyLineFeed = 1;
const methodStart = 2;
const inMethod = 3;
const inTarget = 4;
const inVersion = 5;
const lineFeed = 6;
const done = 7;

// RFC 9112 3:
//   method SP request-target SP HTTP-version CRLF

/**
 * Finds the parts of a request line. It can stop at any byte and continue from there, so each byte is looked at once,
 * and the first bad byte is the same for every split.
 */
export class RequestLineScanner {
  #state = start;
  /** Where the method begins: 0, or 2 after an empty line. */
  #method = 0;
  /** Where the method ends: the position of the first space. */
  #methodEnd = 0;
  /** Where the target ends: the position of the second space. */
  #targetEnd = 0;
  #version = 0;

  /** Begins with another line. */
  reset(): void {
    this.#state = start;
    this.#method = this.#methodEnd = this.#targetEnd = this.#version = 0;
  }

  /** Whether the line is complete. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /** Whether a byte of the line has been scanned, good or bad; an empty line before it does not count. */
  get gotSome(): boolean {
    return this.#state > methodStart;
  }

  /** Ten times the major version plus the minor one, once done. */
  get version(): number {
    return this.#version;
  }

  /** What is too long if the line has reached the largest size of a head before its end. */
  get longPart(): "method" | "target" {
    return this.#state <= inMethod ? "method" : "target";
  }

  /** The method, once done; `head` is the text of the bytes scanned. */
  method(head: string): string {
    // By far the most common method shares one string.
    if (this.#method === 0 && head.startsWith("GET ")) return "GET";
    return head.slice(this.#method, this.#methodEnd);
  }

  /** The target, once done. */
  target(head: string): string {
    return head.slice(this.#methodEnd + 1, this.#targetEnd);
  }

  /**
   * Continues at `position`, and returns where it stopped: at `end`, or after the line. `bytes` must begin where they
   * began in earlier calls. Throws `http.bad_method`, `http.bad_target`, `http.bad_start_line`, `http.bad_version` or
   * `http.bad_line_ending`.
   */
  scan(bytes: Uint8Array, position: number, end: number): number {
    let state = this.#state;
    let at = position;
    while (at < end && state !== done) {
      const byte = bytes[at];
      switch (state) {
        case start:
          // RFC 9112 2.2: ignore at least one empty line before the request line. This ignores exactly one.
          state = byte === cr ? emptyLineFeed : methodStart;
          if (byte === cr) at++;
          break;
        case emptyLineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          this.#method = ++at;
          state = methodStart;
          break;
        case methodStart:
          // Kept before anything can throw: what was scanned must not depend on how the bytes were split.
          this.#state = state = inMethod;
          if (tokenCharacters[byte] === 0) throw httpError("http.bad_method");
          break;
        case inMethod:
          at = skipToken(bytes, at, end);
          if (at === end) break;
          if (bytes[at] !== sp) throw httpError(isLineEnd(bytes[at]) ? "http.bad_start_line" : "http.bad_method");
          this.#methodEnd = at++;
          state = inTarget;
          break;
        case inTarget:
          at = skipTarget(bytes, at, end);
          if (at === end) break;
          // RFC 9112 3: exactly one space on each side.
          if (at === this.#methodEnd + 1) throw httpError("http.bad_target");
          if (bytes[at] !== sp) throw httpError(isLineEnd(bytes[at]) ? "http.bad_start_line" : "http.bad_target");
          this.#targetEnd = at++;
          state = inVersion;
          break;
        case inVersion:
          if (this.#isVersionByte(byte, at++)) break;
          state = lineFeed;
          break;
        case lineFeed:
          if (byte !== lf) throw httpError("http.bad_line_ending");
          at++;
          state = done;
          break;
      }
    }
    this.#state = state;
    return at;
  }

  /** Whether the byte belongs to the version; if not, it is the CR after it. Throws for any other byte. */
  #isVersionByte(byte: number, at: number): boolean {
    const index = at - this.#targetEnd - 1;
    const wanted = httpVersion[index];
    if (wanted === anyDigit && byte >= 0x30 && byte <= 0x39) {
      this.#version = this.#version * 10 + byte - 0x30;
      return true;
    }
    if (wanted !== undefined) {
      if (byte !== wanted) throw httpError("http.bad_start_line");
      return true;
    }
    if (byte !== cr) throw httpError(byte === lf ? "http.bad_line_ending" : "http.bad_start_line");
    // Known only here: of a malformed line there is no version to refuse.
    if (this.#version !== 10 && this.#version !== 11) throw httpError("http.bad_version");
    return false;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === cr || byte === lf;
}
