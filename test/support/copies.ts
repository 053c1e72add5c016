// Counts the bytes that are copied between typed arrays, which shows how work grows without measuring time.

const typed = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/** How many bytes `run` copies by `set` and `slice`, the ways that the sources use. */
export async function bytesCopied(run: () => unknown): Promise<number> {
  const { set, slice } = typed;
  let count = 0;
  typed.set = function (this: Uint8Array, from: ArrayLike<number>, at?: number): void {
    count += from.length;
    set.call(this, from, at);
  };
  typed.slice = function (this: Uint8Array, start?: number, end?: number): Uint8Array<ArrayBuffer> {
    const copy = slice.call(this, start, end) as Uint8Array<ArrayBuffer>;
    count += copy.length;
    return copy;
  };
  try {
    await run();
  } finally {
    Object.assign(typed, { set, slice });
  }
  return count;
}
