import { show } from "./check-options.ts";
import { isPromise } from "./completion.ts";
import type { ServalError } from "./error.ts";
import { coreError, invalidArgument } from "./errors.ts";
import { allocate } from "./text.ts";

/** A new block with the first `size` bytes of a buffer or a list of buffers. */
export function copyOf(buffers: Uint8Array | readonly Uint8Array[], size: number): Uint8Array {
  const copy = allocate(size);
  copyInto(copy, buffers);
  return copy;
}

/** Copies the bytes of a buffer or a list of buffers, as many as fit. Returns how many. */
export function copyInto(target: Uint8Array, buffers: Uint8Array | readonly Uint8Array[]): number {
  if (buffers instanceof Uint8Array) {
    const size = Math.min(buffers.length, target.length);
    target.set(buffers.length > size ? buffers.subarray(0, size) : buffers);
    return size;
  }
  let filled = 0;
  for (const buffer of buffers) {
    const size = Math.min(buffer.length, target.length - filled);
    target.set(buffer.length > size ? buffer.subarray(0, size) : buffer, filled);
    filled += size;
    if (filled === target.length) break;
  }
  return filled;
}

/** The first `size` bytes of a buffer or a list of buffers, which has at least as many; nothing is copied. */
export function takeFront(buffers: Uint8Array | readonly Uint8Array[], size: number): Uint8Array | Uint8Array[] {
  if (buffers instanceof Uint8Array) return buffers.subarray(0, size);
  const front: Uint8Array[] = [];
  for (let left = size, index = 0; left > 0; index++) {
    const buffer = buffers[index]!;
    front.push(buffer.length > left ? buffer.subarray(0, left) : buffer);
    left -= buffer.length;
  }
  return front;
}

/** The rest of a list of buffers after its first `size` bytes. */
export function dropFront(buffers: readonly Uint8Array[], size: number): Uint8Array[] {
  let taken = size;
  let first = 0;
  while (first < buffers.length && taken >= buffers[first]!.length) taken -= buffers[first++]!.length;
  const left = buffers.slice(first);
  if (taken > 0 && left.length > 0) left[0] = left[0]!.subarray(taken);
  return left;
}

/** Bytes that a caller may pass: an `ArrayBuffer` or `SharedArrayBuffer`, or any view of one. */
export type BufferSource = ArrayBufferView | ArrayBufferLike;

/**
 * The bytes of a {@link BufferSource}, not copied; undefined for anything else. Throws `core.invalid_argument` for a
 * detached buffer, which has no bytes any more.
 */
export function bytesOf(chunk: unknown): Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk;
  if (!ArrayBuffer.isView(chunk) && !isBuffer(chunk)) return undefined;
  try {
    if (!ArrayBuffer.isView(chunk)) return new Uint8Array(chunk);
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (cause) {
    throw coreError("core.invalid_argument", { cause, message: "The buffer is detached, or shorter than its view" });
  }
}

/** By its tag, since a buffer of another realm, such as a `vm` context, is no instance of this realm's class. */
function isBuffer(chunk: unknown): chunk is ArrayBufferLike {
  const tag = Object.prototype.toString.call(chunk);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}

/** Whether a value is a collection of pairs, such as a Map, a form or headers: iterable, but not of text or bytes. */
export function isPairs(value: object): boolean {
  return "get" in value && Symbol.iterator in value;
}

/** The error of a value that can't be sent: what is `wanted`, and what to do with this one instead. */
export function notSendable(wanted: string, value: unknown): ServalError {
  return invalidArgument(`${wanted}: ${adviceOn(value)}`);
}

function adviceOn(value: unknown): string {
  if (isPromise(value)) return "await the promise first";
  if (Array.isArray(value)) {
    if (value.some((each) => typeof each === "number")) return "Uint8Array.from makes bytes of an array of numbers";
    return value.some((each) => each instanceof Blob)
      ? "new Blob joins an array of Blobs"
      : "the array has something else in it";
  }
  if (value instanceof Blob) return "await blob.arrayBuffer() gives the bytes of a Blob";
  if (value instanceof URLSearchParams) return "String makes a string of a URLSearchParams";
  if (typeof value === "object" && value !== null) {
    const from = isPairs(value) ? `, and Object.fromEntries an object of ${show(value)}` : "";
    return `JSON.stringify makes a string of an object${from}`;
  }
  return `not ${show(value)}`;
}

/** The error of a foreign stream that yields something other than bytes. */
export function notBytes(stream: string, chunk: unknown): ServalError {
  return coreError("core.invalid_argument", { message: `The ${stream} must carry bytes, but gave a ${typeof chunk}` });
}
