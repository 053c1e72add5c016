import { abortError, FlatBuffer } from "../../core/index.ts";
import {
  beginSource,
  checkNumber,
  checkOptions,
  checkSignal,
  handled,
  offAbort,
  onAbort,
  optionSet,
  stopSource,
} from "../../core/internal.ts";
import { partOf, type Body, type BodyStream } from "./body.ts";
import { httpError } from "./errors.ts";

/** Options of a message's `bytes` and `text`. */
export interface ReadBodyOptions {
  /** The most bytes of the body, which is held in memory; Infinity for no limit. Default 16 MiB. */
  maxBodySize?: number | undefined;
  /** Aborts the reading with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/**
 * A whole body as bytes; bytes are not copied. Rejects with `http.body_limit`, `core.aborted`, and as the body does.
 */
export function readBody(body: Body, options: ReadBodyOptions = {}): Promise<Uint8Array> {
  let limit: number;
  let signal: AbortSignal | undefined;
  try {
    checkOptions(readOptions, options);
    limit = checkNumber("maxBodySize", options.maxBodySize, 16 * 1024 * 1024);
    signal = checkSignal(options.signal);
    if (signal?.aborted === true) throw abortError(signal);
  } catch (error) {
    return handled(Promise.reject(error as Error));
  }
  const isStream = !(body instanceof Uint8Array);
  return handled(isStream && signal !== undefined ? abortable(body, limit, signal) : gather(body, limit));
}

const readOptions = optionSet("bytes and text", ["maxBodySize", "signal"], "{ maxBodySize: 1_000_000 }");

async function gather(body: Uint8Array | AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.length > limit) throw tooLarge(limit);
    return body;
  }
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
    const source = beginSource<Uint8Array>(body);
    const abort = (): void => {
      offAbort(signal, abort);
      reject(abortError(signal));
      // The awaited part may never come, so the source is told now. A failure of that is ignored.
      stopSource(source);
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
