import { blockSize, dropFront, encodeLatin1, giveBack, takeBlock, writeLatin1 } from "../../core/internal.ts";

/** Bodies up to this many bytes are copied after their heads, so that many responses leave as one buffer. */
const copiedUpTo = 16 * 1024;

/**
 * Collects responses until the next write, so that those to all requests of one read leave together. Nothing is added
 * during a write.
 */
export class ResponseBuffer {
  #pieces: Uint8Array[] = [];
  #blocks: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #begin = 0;
  #end = 0;
  /** How many bytes wait or are being written. */
  size = 0;

  /** Adds a message: its head, and its body, which must not change until it is written. */
  add(head: string, body: Uint8Array): void {
    this.#addHead(head);
    if (body.length === 0) return;
    if (body.length <= copiedUpTo) {
      this.#room(body.length).set(body, this.#end);
      this.#end += body.length;
    } else {
      this.#seal();
      this.#pieces.push(body);
    }
    this.size += body.length;
  }

  /** All collected bytes, to be written. */
  take(): Uint8Array | readonly Uint8Array[] {
    this.#seal();
    // One buffer is cheaper to write than a list of one.
    return this.#pieces.length === 1 ? this.#pieces[0]! : this.#pieces;
  }

  /** Accounts for bytes that the stream has taken. Memory is released when all are. */
  wrote(count: number): void {
    this.size -= count;
    if (this.size > 0) {
      this.#pieces = dropFront(this.#pieces, count);
      return;
    }
    this.#pieces = [];
    if (this.#block !== undefined) giveBack(this.#block);
    for (const block of this.#blocks) giveBack(block);
    this.#forget();
  }

  /**
   * Drops all collected bytes. Their blocks are left to the garbage collector, since a failed write may still read
   * them.
   */
  clear(): void {
    this.size = 0;
    this.#pieces = [];
    this.#forget();
  }

  #addHead(head: string): void {
    this.size += head.length;
    if (head.length > blockSize) {
      this.#seal();
      this.#pieces.push(encodeLatin1(head));
      return;
    }
    const block = this.#room(head.length);
    this.#end += writeLatin1(block, head, this.#end);
  }

  /** The block being filled, with room for `size` bytes at `#end`. */
  #room(size: number): Uint8Array {
    if (this.#block !== undefined && this.#end + size <= blockSize) return this.#block;
    if (this.#block !== undefined) {
      this.#seal();
      this.#blocks.push(this.#block);
    }
    this.#begin = this.#end = 0;
    return (this.#block = takeBlock());
  }

  /** Makes a piece of the bytes filled since the last one. */
  #seal(): void {
    if (this.#block === undefined || this.#begin === this.#end) return;
    this.#pieces.push(this.#block.subarray(this.#begin, this.#end));
    this.#begin = this.#end;
  }

  #forget(): void {
    this.#block = undefined;
    this.#begin = this.#end = 0;
    if (this.#blocks.length > 0) this.#blocks = [];
  }
}
