import { isValidUtf8 } from "../../core/internal.ts";

/**
 * Checks UTF-8 as it arrives, split anywhere. It refuses the first byte that can't belong to a valid text (RFC 3629
 * section 4), without waiting for the end of the character or message.
 */
export class Utf8Checker {
  /** How many bytes the last character still lacks, 0 to 3. */
  #missing = 0;
  /** The range of the next byte. It is narrower than 80 to BF only for the second byte after E0, ED, F0, F4. */
  #lowest = 0x80;
  #highest = 0xbf;

  /** Whether the text could end here. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** Checks bytes `start` to `end`, the next ones of the text; false once it is not valid UTF-8. */
  check(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (this.#missing > 0 && at < end) {
      if (!this.#continue(bytes[at++]!)) return false;
    }
    // The unfinished character at the end is checked by hand, everything before it natively.
    const tail = tailStart(bytes, at, end);
    if (at < tail && !isValidUtf8(bytes.subarray(at, tail))) return false;
    for (let i = tail; i < end; i++) {
      if (!(this.#missing > 0 ? this.#continue(bytes[i]!) : this.#begin(bytes[i]!))) return false;
    }
    return true;
  }

  /** Forgets the text, so that another can begin. */
  reset(): void {
    this.#missing = 0;
  }

  #begin(byte: number): boolean {
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    if (byte < 0x80) {
      return true;
    } else if (byte >= 0xc2 && byte <= 0xdf) {
      this.#missing = 1;
    } else if ((byte & 0xf0) === 0xe0) {
      this.#missing = 2;
      if (byte === 0xe0) this.#lowest = 0xa0; // overlong
      if (byte === 0xed) this.#highest = 0x9f; // surrogates
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#missing = 3;
      if (byte === 0xf0) this.#lowest = 0x90; // overlong
      if (byte === 0xf4) this.#highest = 0x8f; // beyond U+10FFFF
    } else {
      return false;
    }
    return true;
  }

  #continue(byte: number): boolean {
    if (byte < this.#lowest || byte > this.#highest) return false;
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    this.#missing--;
    return true;
  }
}

/** Where an unfinished character at the end begins; `end` if the last character is complete. */
function tailStart(bytes: Uint8Array, start: number, end: number): number {
  for (let i = end - 1; i >= start && i >= end - 3; i--) {
    const byte = bytes[i]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return i + length > end ? i : end;
    }
  }
  return end;
}
