import threads from "node:worker_threads";

/** The most bytes that one read takes: as many as libuv would allocate for it. */
const readSize = 64 * 1024;

let block: Uint8Array | undefined;
let scrubbing = false;

/** The memory that all connections read into, made for the first of them. */
export function readBlock(): Uint8Array {
  return (block ??= makeBlock());
}

/** It stays here: without it no connection would read again, and the thread that it went to would see what others receive. */
function makeBlock(): Uint8Array {
  const made = new Uint8Array(readSize);
  // Other runtimes may lack it.
  threads.markAsUntransferable?.(made.buffer);
  return made;
}

/** The bytes of a read of this size. They are valid until {@link takenBack}. */
export function lend(size: number): Uint8Array {
  // The constructor takes a third of the time of `subarray`.
  return new Uint8Array(block!.buffer, 0, size);
}

/** Ends the loan. */
export function takenBack(size: number): void {
  if (scrubbing) block!.fill(0xdb, 0, size);
}

/** For tests: whether the shared block is overwritten after each read, to expose late use of borrowed bytes. */
export function scrubReads(on: boolean): void {
  scrubbing = on;
}
