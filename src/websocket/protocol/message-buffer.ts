import { allocate } from "../../core/internal.ts";

const empty: Uint8Array = new Uint8Array(0);

/** What a message may take before its bytes are there: a header alone must not make us reserve what it promises. */
const trusted = 16 * 1024;

/** Where bytes come from. */
export interface BytesSource {
  /** Copies the next bytes into other memory. */
  copyInto(target: Uint8Array, at: number, count: number): void;
}

/** The payload of a message that arrives in pieces, gathered in one block that grows with what has come. */
export class MessageBuffer {
  /** How many bytes are there. */
  length = 0;
  /** The block: its first `length` bytes are the payload so far. */
  bytes: Uint8Array = empty;

  /**
   * Makes room for `count` more bytes. All at once where the end is known and believable: `promised` is what the frame
   * in progress has left, and the message ends with it if `isLast`. False where the platform has no memory for it: with no
   * limit set, that is the limit.
   */
  makeRoom(count: number, promised: number, isLast: boolean, limit: number): boolean {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return true;
    const grown = Math.max(
      needed,
      Math.min(Math.max(trusted, this.bytes.length * 4), this.length + Math.max(promised, count)),
    );
    // Of a fragmented message the end is unknown: small fragments must not mean a copy each.
    const size = isLast ? grown : Math.max(grown, Math.min(this.bytes.length * 2, limit));
    try {
      const bytes = allocate(size);
      bytes.set(this.bytes.subarray(0, this.length));
      this.bytes = bytes;
      return true;
    } catch {
      return false;
    }
  }

  /** Adds the next bytes of a source, which copies them itself. There must be room. */
  append(source: BytesSource, count: number): void {
    source.copyInto(this.bytes, this.length, count);
    this.length += count;
  }

  /** Drops the first `count` bytes. */
  drop(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.length -= count;
  }

  /** Hands out what was gathered, and begins anew. It never pins a block larger than itself. */
  take(): Uint8Array {
    const { bytes, length } = this;
    this.clear();
    return length === bytes.length ? bytes : bytes.slice(0, length);
  }

  /** Drops what was gathered. */
  clear(): void {
    this.bytes = empty;
    this.length = 0;
  }
}
