import { httpError } from "../messages/errors.ts";
import { anyDigit, cr, httpVersion, lf, skipValue, sp } from "../messages/grammar.ts";

// The scanner's states: what the next byte belongs to.
const inVersion = 0;
const inStatus = 1;
const afterStatus = 2;
const inReason = 3;
const lineFeed = 4;
const done = 5;

// RFC 9112 4; the second space may be missing if there is no reason, as many servers send it:
//   HTTP-version SP status-code [ SP [ reason-phrase ] ] CRLF

/**
 * Finds the parts of a status line. It can stop at any byte and continue from there, so each byte is looked at once,
 * and the first bad byte is the same for every split.
 */
export class StatusLineScanner {
  #state = inVersion;
  /** How many bytes of the version with its space, or of the status, have been scanned. */
  #seen = 0;
  #version = 0;
  #status = 0;
  #reason = 0;
  #reasonEnd = 0;

  /** Begins with another line. */
  reset(): void {
    this.#state = inVersion;
    this.#seen = this.#version = this.#status = this.#reason = this.#reasonEnd = 0;
  }

  /** Whether the line is complete. */
  get isDone(): boolean {
    return this.#state === done;
  }

  /** Whether a byte of the line has been scanned, good or bad. */
  get gotSome(): boolean {
    return this.#state > inVersion || this.#seen > 0;
  }

  /** Ten times the major version plus the minor one, once done. */
  get version(): number {
    return this.#version;
  }

  /** The status, once done: 100 to 999. */
  get status(): number {
    return this.#status;
  }

  /** The reason, possibly empty, once done; `head` is the text of the bytes scanned. */
  reason(head: string): string {
    return head.slice(this.#reason, this.#reasonEnd);
  }

  /**
   * Continues at `position`, and returns where it stopped: at `end`, or after the line. `bytes` must begin where they
   * began in earlier calls. Throws `http.bad_start_line`, `http.bad_version`, `http.bad_status`, `http.bad_reason` or
   * `http.bad_line_ending`.
   */
  scan(bytes: Uint8Array, position: number, end: number): number {
    let state = this.#state;
    let at = position;
    while (at < end && state !== done) {
      const byte = bytes[at];
      switch (state) {
        case inVersion:
          // RFC 9112 2.2 lets a server skip an empty line, but not a client.
          this.#takeVersion(byte);
          at++;
          if (this.#seen === 0) state = inStatus;
          break;
        case inStatus:
          this.#takeStatus(byte);
          at++;
          if (this.#seen === 3) state = afterStatus;
          break;
        case afterStatus:
          if (byte !== sp && byte !== cr) throw httpError(byte === lf ? "http.bad_line_ending" : "http.bad_status");
          this.#reason = this.#reasonEnd = byte === sp ? at + 1 : at;
          at++;
          state = byte === sp ? inReason : lineFeed;
          break;
        case inReason:
          at = skipValue(bytes, at, end);
          if (at === end) break;
          if (bytes[at] !== cr) throw httpError(bytes[at] === lf ? "http.bad_line_ending" : "http.bad_reason");
          this.#reasonEnd = at++;
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

  /** Takes a byte of `HTTP/1.x` and of the space that ends it. */
  #takeVersion(byte: number): void {
    const wanted = httpVersion[this.#seen++];
    if (wanted === anyDigit && byte >= 0x30 && byte <= 0x39) {
      this.#version = this.#version * 10 + byte - 0x30;
      return;
    }
    if (byte !== (wanted ?? sp)) throw httpError("http.bad_start_line");
    if (wanted !== undefined) return;
    if (this.#version !== 10 && this.#version !== 11) throw httpError("http.bad_version");
    this.#seen = 0;
  }

  /** Takes one of the three digits of the status; the first is not 0 (RFC 9110 15). */
  #takeStatus(byte: number): void {
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && this.#seen === 0)) throw httpError("http.bad_status");
    this.#status = this.#status * 10 + digit;
    this.#seen++;
  }
}
