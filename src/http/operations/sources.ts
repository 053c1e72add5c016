import { runReported } from "../../core/internal.ts";
import type { Body, BodyStream } from "../messages/body.ts";

// Starting to read streamed bodies, and stopping.

/**
 * Begins to read a body. `return` stops a Web stream or a Node stream at once: their own iterators would first wait for
 * the next part, which may never come.
 */
export function begin(body: BodyStream): AsyncIterator<unknown> {
  if (body instanceof ReadableStream) return new WebSource(body.getReader());
  const source = body[Symbol.asyncIterator]();
  const { destroy } = body as { destroy?: unknown };
  if (typeof destroy !== "function") return source;
  const end = (): Promise<IteratorResult<unknown>> => {
    destroy.call(body);
    return source.return?.() ?? Promise.resolve({ done: true, value: undefined });
  };
  return { next: () => source.next(), return: end };
}

class WebSource implements AsyncIterator<unknown> {
  readonly #reader: ReadableStreamDefaultReader<unknown>;

  constructor(reader: ReadableStreamDefaultReader<unknown>) {
    this.#reader = reader;
  }

  next(): Promise<IteratorResult<unknown>> {
    return this.#reader.read() as Promise<IteratorResult<unknown>>;
  }

  async return(): Promise<IteratorResult<unknown>> {
    await this.#reader.cancel();
    return { done: true, value: undefined };
  }
}

/** Stops a body that was never read, if it has a way: Web streams have `cancel`, Node's `destroy`. */
export function discard(body: Body): void {
  // In JavaScript the body may be missing.
  const { cancel, destroy } = ((body as Body | null | undefined) ?? {}) as Partial<
    Record<"cancel" | "destroy", () => unknown>
  >;
  const end = cancel ?? destroy;
  if (typeof end === "function") runReported(() => end.call(body));
}

/** Stops a body that is not read to its end. A failure of that is ignored. */
export function stop(source: AsyncIterator<unknown> | undefined): void {
  try {
    source?.return?.()?.then(undefined, ignore);
  } catch {
    // Ignored too.
  }
}

function ignore(): void {}
