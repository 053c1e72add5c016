import { abortError } from "../../core/index.ts";
import {
  allocate,
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
import { partOf, takeWhole, type Body, type BodyStream, type ReadyBody } from "./body.ts";
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
export function readBody(body: Body, options: ReadBodyOptions = none): Promise<Uint8Array> {
  if (options === none) return readUpTo(body, byDefault);
  let limit: number;
  let signal: AbortSignal | undefined;
  try {
    checkOptions(readOptions, options);
    limit = checkNumber("maxBodySize", options.maxBodySize, byDefault);
    signal = checkSignal(options.signal);
    if (signal?.aborted === true) throw abortError(signal);
  } catch (error) {
    return handled(Promise.reject(error as Error));
  }
  const isStream = !(body instanceof Uint8Array);
  return isStream && signal !== undefined ? handled(abortable(body, limit, signal)) : readUpTo(body, limit);
}

/** {@link readBody}, with no more than `limit` bytes. */
export function readUpTo(body: Body, limit: number): Promise<Uint8Array> {
  const whole = wholeOf(body);
  if (whole === undefined) return handled(gather(body as BodyStream, limit));
  return whole.length > limit ? handled(Promise.reject(tooLarge(limit))) : Promise.resolve(whole);
}

function wholeOf(body: Body): Uint8Array | undefined {
  return body instanceof Uint8Array ? body : (body as Partial<ReadyBody>)[takeWhole]?.();
}

const byDefault = 16 * 1024 * 1024;
const none: ReadBodyOptions = {};
const readOptions = optionSet("bytes and text", ["maxBodySize", "signal"], "{ maxBodySize: 1_000_000 }");

/** How much memory a body of a known size gets before it arrives. */
const mostReserved = 64 * 1024;

async function gather(body: BodyStream, limit: number): Promise<Uint8Array> {
  const { size: told = 0 } = body;
  const known = Number.isSafeInteger(told) && told > 0 ? Math.min(told, limit) : 0;
  let bytes = allocate(Math.min(known, mostReserved));
  let size = 0;
  for await (const part of body) {
    const given = partOf(part);
    const needed = size + given.length;
    if (needed > limit) throw tooLarge(limit);
    if (needed > bytes.length) bytes = grown(bytes, size, needed, known);
    bytes.set(given, size);
    size = needed;
  }
  // What lies after the bytes is memory that others have used.
  return size === bytes.length ? bytes : bytes.slice(0, size);
}

/** Memory of at least `needed` bytes, with the first `size` of these; no more than the body has, if that is `known`. */
function grown(bytes: Uint8Array, size: number, needed: number, known: number): Uint8Array {
  const doubled = Math.max(512, 2 * bytes.length, needed);
  const larger = allocate(known >= needed ? Math.min(doubled, known) : doubled);
  larger.set(size === bytes.length ? bytes : bytes.subarray(0, size));
  return larger;
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
    gather({ size: body.size, [Symbol.asyncIterator]: () => source }, limit)
      .finally(() => offAbort(signal, abort))
      .then(resolve, reject);
  });
}

function tooLarge(limit: number): Error {
  return httpError("http.body_limit", { message: `The body is larger than maxBodySize, ${limit} bytes` });
}
