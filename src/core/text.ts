// The one file of the layers that names a platform module: text in and out of bytes is native in node:buffer, and
// nothing portable comes near. Another platform would replace this file.
import { Buffer, constants, isUtf8 } from "node:buffer";

/** Node's native slices and writes; on Buffer's prototype, but they take any Uint8Array as `this`. */
interface NativeText {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const native = Buffer.prototype as unknown as NativeText;
const { latin1Slice, utf8Slice, latin1Write, utf8Write } = native;

/** The longest text that the platform can have, in UTF-16 code units; no more bytes of UTF-8 can be decoded. */
export const longestText: number = constants.MAX_STRING_LENGTH;

/** Bytes `start` to `end`, each as the character of that code. */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return latin1Slice.call(bytes, start, end);
}

/** Bytes `start` to `end` as UTF-8; what is not valid becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return utf8Slice.call(bytes, start, end);
}

/** Whether all the bytes are valid UTF-8. */
export function isValidUtf8(bytes: Uint8Array): boolean {
  return isUtf8(bytes);
}

/** How many bytes a text takes as UTF-8. */
export const utf8Length: (text: string) => number = Buffer.byteLength;

/** Writes a text of characters up to U+00FF at `offset`, one byte a character; returns how many were written. */
export function writeLatin1(bytes: Uint8Array, text: string, offset: number): number {
  return latin1Write.call(bytes, text, offset, text.length);
}

/** Writes a text as UTF-8 at `offset`, up to `length` bytes; lone surrogates become U+FFFD. Returns how many bytes were written. */
export function writeUtf8(bytes: Uint8Array, text: string, offset: number, length: number): number {
  return utf8Write.call(bytes, text, offset, length);
}

/** Up to this length, a loop beats the calls into the platform, where all is ASCII. */
const shortText = 48;

/** A text as UTF-8 bytes of their own. */
export function encodeUtf8(text: string): Uint8Array {
  if (text.length <= shortText) {
    const ascii = encodeAscii(text);
    if (ascii !== undefined) return ascii;
  }
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(bytes, text, 0, bytes.length);
  return bytes;
}

function encodeAscii(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/**
 * A text of characters up to U+00FF as bytes, one a character, for writing: short ones lie in Node's pool, since memory
 * of their own costs several times as much as all the rest.
 */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Below this size, zeroed memory costs less than a detour. */
const worthLeavingDirty = 4096;

/**
 * New memory for bytes that are all written before any is shown: it may hold anything. Never part of a pool, so that
 * nothing else can be pinned by it or seen through it.
 */
export function allocate(size: number): Uint8Array {
  if (size < worthLeavingDirty) return new Uint8Array(size);
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}
