import { abortError, FlatBuffer } from "../../core/index.ts";
import { checkNumber, checkOptions, checkSignal, handled, offAbort, onAbort, optionSet } from "../../core/internal.ts";
import { partOf, type Body, type BodyStream } from "./body.ts";
import { httpError } from "./errors.ts";

/** Options of a message's `bytes` and `text`. */
export interface ReadBodyOptions {
  /** The most bytes that the body may have, all of which are held; Infinity for no limit. Default 16 MiB. */
  maxBodySize?: number | undefined;
  /** Ends the reading with `core.aborted`: no more is asked of the body. */
  signal?: AbortSignal | undefined;
}

/**
 * A whole body as bytes; those of a body that is bytes already are not copied. Rejects with `http.body_limit`,
 * `core.aborted`, and as the body does.
 */
export function readBody(body: Body, options: ReadBodyOptions = {}): Promise<Uint8Array> {
  return handled(read(body, options));
}

const readOptions = optionSet("bytes and text", ["maxBodySize", "signal"], "{ maxBodySize: 1_000_000 }");

async function read(body: Body, options: ReadBodyOptions): Promise<Uint8Array> {
  checkOptions(readOptions, options);
  const limit = checkNumber("maxBodySize", options.maxBodySize, 16 * 1024 * 1024);
  const signal = checkSignal(options.signal);
  if (signal?.aborted === true) throw abortError(signal);
  if (!(body instanceof Uint8Array)) return signal === undefined ? gather(body, limit) : abortable(body, limit, signal);
  if (body.length > limit) throw tooLarge(limit);
  return body;
}

async function gather(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const gathered = new FlatBuffer();
  for await (const part of body) {
    const bytes = partOf(part);
    if (gathered.size + bytes.length > limit) throw tooLarge(limit);
    gathered.append(bytes);
  }
  return gathered.data();
}

function abortable(body: BodyStream, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const source = body[Symbol.asyncIterator]();
    const abort = (): void => {
      offAbort(signal, abort);
      reject(abortError(signal));
      // The part that is awaited may never come: the source is told now. Its failure is of no interest any more.
      void handled(Promise.resolve(source.return?.()));
    };
    onAbort(signal, abort);
    gather({ [Symbol.asyncIterator]: () => source }, limit)
      .finally(() => offAbort(signal, abort))
      .then(resolve, reject);
  });
}

function tooLarge(limit: number): Error {
  return httpError("http.body_limit", { message: `The body is larger than maxBodySize, ${limit} bytes` });
}
