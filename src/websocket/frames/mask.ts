import { allocate, decodeLatin1 } from "../../core/internal.ts";

/**
 * Masking (RFC 6455 section 5.3): each byte is XORed with the key byte at its position modulo four, in both directions
 * alike. `key` holds the four bytes as a 32-bit number, the first in the lowest bits.
 */

/** Up to this size, a loop of byte stores is cheaper than a native copy and a view of words. */
const fewBytes = 192;

/** Whether the first byte in memory is the lowest of a word, as on all platforms of Node except s390x. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The key as it applies `places` bytes later. */
export function rotateKey(key: number, places: number): number {
  const bits = (places & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/**
 * Copies `length` bytes from `source` to `target`, masking or unmasking them. The two must not overlap. The key applies
 * from the first byte.
 */
export function maskInto(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
  length: number,
  key: number,
): void {
  if (length <= fewBytes) {
    maskFew(source, from, target, at, length, key);
    return;
  }
  const head = -(target.byteOffset + at) & 3;
  if (((source.byteOffset + from + head) & 3) === 0) {
    // Both have their words at the same places, as memory of its own has: one pass, where a copy to be masked takes two.
    if (head > 0) maskFew(source, from, target, at, head, key);
    const words = (length - head) >>> 2;
    const wordKey = rotateKey(key, head);
    maskWordsInto(
      new Int32Array(source.buffer, source.byteOffset + from + head, words),
      new Int32Array(target.buffer, target.byteOffset + at + head, words),
      wordKey,
    );
    const done = head + (words << 2);
    if (done < length) maskFew(source, from + done, target, at + done, length - done, wordKey);
    return;
  }
  target.set(source.subarray(from, from + length), at);
  maskInPlace(target, at, length, key);
}

/** Returns all of the bytes that result, ORed, so that its highest bit says whether one is not ASCII. */
function maskFew(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
  length: number,
  key: number,
): number {
  const k0 = key & 0xff;
  const k1 = (key >>> 8) & 0xff;
  const k2 = (key >>> 16) & 0xff;
  const k3 = key >>> 24;
  const fours = from + (length & ~3);
  let i = from;
  let j = at;
  let all = 0;
  while (i < fours) {
    const a = source[i]! ^ k0;
    const b = source[i + 1]! ^ k1;
    const c = source[i + 2]! ^ k2;
    const d = source[i + 3]! ^ k3;
    target[j] = a;
    target[j + 1] = b;
    target[j + 2] = c;
    target[j + 3] = d;
    all |= a | b | c | d;
    i += 4;
    j += 4;
  }
  const rest = length & 3;
  if (rest > 0) all |= target[j] = source[i]! ^ k0;
  if (rest > 1) all |= target[j + 1] = source[i + 1]! ^ k1;
  if (rest > 2) all |= target[j + 2] = source[i + 2]! ^ k2;
  return all;
}

/** Masks or unmasks `length` bytes of `bytes` in place, from `at` on. */
export function maskInPlace(bytes: Uint8Array, at: number, length: number, key: number): void {
  if (length <= fewBytes) {
    maskFew(bytes, at, bytes, at, length, key);
    return;
  }
  // Bytes up to the first aligned word, then words, then the remaining bytes.
  const head = Math.min(-(bytes.byteOffset + at) & 3, length);
  if (head > 0) maskFew(bytes, at, bytes, at, head, key);
  const words = (length - head) >>> 2;
  const wordKey = rotateKey(key, head);
  if (words > 0) maskWords(new Int32Array(bytes.buffer, bytes.byteOffset + at + head, words), wordKey);
  const done = head + (words << 2);
  if (done < length) maskFew(bytes, at + done, bytes, at + done, length - done, wordKey);
}

function maskWords(words: Int32Array, key: number): void {
  const k = littleEndian ? key | 0 : swap(key);
  const count = words.length;
  const eights = count & ~7;
  let i = 0;
  // Eight words at a time share the bounds check and the loop's overhead.
  for (; i < eights; i += 8) {
    words[i]! ^= k;
    words[i + 1]! ^= k;
    words[i + 2]! ^= k;
    words[i + 3]! ^= k;
    words[i + 4]! ^= k;
    words[i + 5]! ^= k;
    words[i + 6]! ^= k;
    words[i + 7]! ^= k;
  }
  for (; i < count; i++) words[i]! ^= k;
}

function maskWordsInto(source: Int32Array, target: Int32Array, key: number): void {
  const k = littleEndian ? key | 0 : swap(key);
  const count = target.length;
  const eights = count & ~7;
  let i = 0;
  for (; i < eights; i += 8) {
    target[i] = source[i]! ^ k;
    target[i + 1] = source[i + 1]! ^ k;
    target[i + 2] = source[i + 2]! ^ k;
    target[i + 3] = source[i + 3]! ^ k;
    target[i + 4] = source[i + 4]! ^ k;
    target[i + 5] = source[i + 5]! ^ k;
    target[i + 6] = source[i + 6]! ^ k;
    target[i + 7] = source[i + 7]! ^ k;
  }
  for (; i < count; i++) target[i] = source[i]! ^ k;
}

function swap(key: number): number {
  return ((key & 0xff) << 24) | ((key & 0xff00) << 8) | ((key >>> 8) & 0xff00) | (key >>> 24);
}

/** The most bytes that {@link unmasked} keeps in memory shared by all calls. */
export const asideSize: number = 64 * 1024;

const asideWords = new Int32Array(asideSize / 4);
const aside = new Uint8Array(asideWords.buffer);

/** Sockets read into the same memory each time, so the view of it is kept; it keeps no large memory alive. */
let viewedBuffer: ArrayBufferLike | undefined;
let view: DataView | undefined;
/** The last other memory that few bytes came from. That of TLS is new for each read, and a view costs more than it saves. */
let otherBuffer: ArrayBufferLike | undefined;

/** A view of memory that `length` bytes come from; undefined if it would cost more than it saves. */
function viewOf(buffer: ArrayBufferLike, length: number): DataView | undefined {
  const isKept = buffer.byteLength <= asideSize;
  if (length <= fewBytes && buffer !== otherBuffer) {
    if (isKept) otherBuffer = buffer;
    return undefined;
  }
  const seen = new DataView(buffer);
  if (isKept) [view, viewedBuffer] = [seen, buffer];
  return seen;
}

/**
 * Unmasks `length` bytes of `source`, from `from` on, into other memory, given as words and as bytes, from `at` on, a
 * multiple of 4. It copies and unmasks in one pass over words, at any alignment of the source.
 */
export function unmaskInto(
  source: Uint8Array,
  from: number,
  length: number,
  key: number,
  words: Int32Array,
  bytes: Uint8Array,
  at: number,
): void {
  const { buffer } = source;
  const seen = length < 32 ? undefined : buffer === viewedBuffer ? view : viewOf(buffer, length);
  if (seen === undefined) {
    maskFew(source, from, bytes, at, length, key);
    return;
  }
  const k = littleEndian ? key | 0 : swap(key);
  const last = (at + length) >>> 2;
  let i = at >>> 2;
  let j = source.byteOffset + from;
  // Four words at a time take two thirds of the time of one at a time.
  for (; i + 4 <= last; i += 4, j += 16) {
    words[i] = seen.getInt32(j, littleEndian) ^ k;
    words[i + 1] = seen.getInt32(j + 4, littleEndian) ^ k;
    words[i + 2] = seen.getInt32(j + 8, littleEndian) ^ k;
    words[i + 3] = seen.getInt32(j + 12, littleEndian) ^ k;
  }
  for (; i < last; i++, j += 4) words[i] = seen.getInt32(j, littleEndian) ^ k;
  const done = length & ~3;
  if (done < length) maskFew(source, from + done, bytes, at + done, length - done, key);
}

/**
 * Unmasks `length` bytes of `source`, from `from` on, into {@link aside}, as {@link unmaskInto} does. Returns whether all
 * are ASCII. To find that out costs a few percent, so other payloads do without.
 */
function unmaskText(source: Uint8Array, from: number, length: number, key: number): boolean {
  const { buffer } = source;
  const seen = length < 32 ? undefined : buffer === viewedBuffer ? view : viewOf(buffer, length);
  if (seen === undefined) return maskFew(source, from, aside, 0, length, key) < 0x80;
  const k = littleEndian ? key | 0 : swap(key);
  const last = length >>> 2;
  let i = 0;
  let j = source.byteOffset + from;
  let all = 0;
  for (; i + 4 <= last; i += 4, j += 16) {
    const a = (asideWords[i] = seen.getInt32(j, littleEndian) ^ k);
    const b = (asideWords[i + 1] = seen.getInt32(j + 4, littleEndian) ^ k);
    const c = (asideWords[i + 2] = seen.getInt32(j + 8, littleEndian) ^ k);
    const d = (asideWords[i + 3] = seen.getInt32(j + 12, littleEndian) ^ k);
    all |= a | b | c | d;
  }
  for (; i < last; i++, j += 4) all |= asideWords[i] = seen.getInt32(j, littleEndian) ^ k;
  const done = length & ~3;
  if (done < length) all |= maskFew(source, from + done, aside, done, length - done, key);
  return (all & 0x80808080) === 0;
}

/** Up to this size, unmasking aside and copying is cheaper than views of the copy. */
const smallPayload = 2048;

/** An unmasked payload, valid until the next call. */
export function unmasked(source: Uint8Array, from: number, length: number, key: number): Uint8Array {
  if (length > asideSize) return unmaskedCopy(source, from, length, key);
  unmaskInto(source, from, length, key, asideWords, aside, 0);
  // The constructor takes a third of the time of `subarray`.
  return new Uint8Array(asideWords.buffer, 0, length);
}

/** Texts of more bytes are checked by the platform, which looks at many bytes at a time. */
const smallText = 1024;

/** An unmasked text, if it is short and all of it is ASCII; else undefined. */
export function unmaskedAscii(source: Uint8Array, from: number, length: number, key: number): string | undefined {
  return length <= smallText && unmaskText(source, from, length, key) ? decodeLatin1(aside, 0, length) : undefined;
}

/** An unmasked payload, in memory of its own. */
export function unmaskedCopy(source: Uint8Array, from: number, length: number, key: number): Uint8Array {
  if (length <= smallPayload) {
    unmaskInto(source, from, length, key, asideWords, aside, 0);
    return aside.slice(0, length);
  }
  const bytes = allocate(length);
  maskInto(source, from, bytes, 0, length, key);
  return bytes;
}
