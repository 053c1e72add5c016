import { isPromise } from "./completion.ts";
import { runReported } from "./report.ts";

// Starting to read sources of bytes, which are async iterables of the caller's, and stopping them.

/**
 * Begins to read a source. `return` stops a Web stream or a Node stream at once: their own iterators would first wait for
 * the next part, which may never come, and a Node stream's does nothing before the first.
 */
export function beginSource<Part>(source: AsyncIterable<Part>): AsyncIterator<Part> {
  if (source instanceof ReadableStream) return new WebSource<Part>(source.getReader());
  const iterator = source[Symbol.asyncIterator]();
  const { destroy } = source as { destroy?: unknown };
  if (typeof destroy !== "function") return iterator;
  keepError(source);
  const end = (): Promise<IteratorResult<Part>> => {
    destroy.call(source);
    return iterator.return?.() ?? Promise.resolve({ done: true, value: undefined });
  };
  return { next: () => iterator.next(), return: end };
}

class WebSource<Part> implements AsyncIterator<Part> {
  readonly #reader: ReadableStreamDefaultReader<Part>;

  constructor(reader: ReadableStreamDefaultReader<Part>) {
    this.#reader = reader;
  }

  next(): Promise<IteratorResult<Part>> {
    return this.#reader.read() as Promise<IteratorResult<Part>>;
  }

  async return(): Promise<IteratorResult<Part>> {
    await this.#reader.cancel();
    return { done: true, value: undefined };
  }
}

/**
 * A Node stream that fails while it waits to be read would end the process, since nothing listens to its `error`. With a
 * listener, its reader gets the error.
 */
export function keepError(source: unknown): void {
  const { on } = source as { on?: unknown };
  if (typeof on === "function") on.call(source, "error", ignore);
}

/** Stops a source that was never read, if it has a way: Web streams have `cancel`, Node's `destroy`. A locked one has a reader. */
export function discardSource(source: unknown): void {
  // In JavaScript the source may be missing.
  const { cancel, destroy, locked } = (source ?? {}) as Partial<Record<"cancel" | "destroy", () => unknown>> & {
    locked?: unknown;
  };
  const end = cancel ?? destroy;
  if (typeof end !== "function" || locked === true) return;
  keepError(source);
  runReported(() => end.call(source));
}

/** Stops a source that is not read to its end. A failure of that is ignored. */
export function stopSource(iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined): void {
  try {
    const result: unknown = iterator?.return?.();
    if (isPromise(result)) result.then(undefined, ignore);
  } catch {
    // Ignored too.
  }
}

function ignore(): void {}

/** How much of a Blob is copied into memory at a time, in bytes. */
const pieceSize = 64 * 1024;

/** The bytes of a Blob, piece by piece. The Blob's own stream may yield a part in memory as one large copy. */
export async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < blob.size; at += pieceSize) {
    yield new Uint8Array(await blob.slice(at, at + pieceSize).arrayBuffer());
  }
}
