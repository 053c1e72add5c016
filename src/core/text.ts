// The only file of the layers that imports a platform module: conversions between text and bytes are native in
// node:buffer, and portable ones are much slower. Another platform would replace this file.
import { Buffer, constants, isAscii, isUtf8 } from "node:buffer";

/** Node's native slices and writes, from Buffer's prototype. They accept any Uint8Array as `this`. */
interface NativeText {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const native = Buffer.prototype as unknown as NativeText;
const { latin1Slice, utf8Slice, latin1Write, utf8Write } = native;

/** The longest string of the platform, in UTF-16 code units; no more bytes of UTF-8 can be decoded. */
export const longestText: number = constants.MAX_STRING_LENGTH;

/** Bytes `start` to `end` as Latin-1. */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return latin1Slice.call(bytes, start, end);
}

/** Bytes `start` to `end` as UTF-8; invalid bytes become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return utf8Slice.call(bytes, start, end);
}

/** The bytes as UTF-8; undefined if they are not valid. Most texts are ASCII, which is faster to decode. */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (isAscii(bytes)) return latin1Slice.call(bytes, 0, bytes.length);
  return isUtf8(bytes) ? utf8Slice.call(bytes, 0, bytes.length) : undefined;
}

/** Whether all the bytes are valid UTF-8. */
export function isValidUtf8(bytes: Uint8Array): boolean {
  return isUtf8(bytes);
}

/** The size of a text in UTF-8, in bytes. */
export const utf8Length: (text: string) => number = Buffer.byteLength;

/** Writes a text of characters up to U+00FF at `offset`, one byte each; returns how many bytes were written. */
export function writeLatin1(bytes: Uint8Array, text: string, offset: number): number {
  return latin1Write.call(bytes, text, offset, text.length);
}

/** Up to this length, a loop over ASCII is faster than a call into the platform, or than two. */
const tinyText = 24;
const shortText = 48;

/** Writes a text, which takes `length` bytes as UTF-8, at `offset`; lone surrogates become U+FFFD. */
export function writeUtf8(bytes: Uint8Array, text: string, offset: number, length: number): void {
  if (text.length !== length) utf8Write.call(bytes, text, offset, length);
  // As many bytes as characters: ASCII.
  else if (length > tinyText) latin1Write.call(bytes, text, offset, length);
  else for (let i = 0; i < length; i++) bytes[offset + i] = text.charCodeAt(i);
}

/** A text in UTF-8, in memory of its own. */
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
 * A text of characters up to U+00FF as bytes, one each, to be written. Short ones lie in Node's pool, since memory of
 * their own costs several times as much as everything else.
 */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Below this size, zeroed memory is cheaper than Buffer's. */
const worthLeavingDirty = 4096;

/**
 * New memory with arbitrary content; every byte must be written before any is shown. It is never part of a pool, so it
 * neither keeps other memory alive nor shows it.
 */
export function allocate(size: number): Uint8Array {
  if (size < worthLeavingDirty) return new Uint8Array(size);
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}
