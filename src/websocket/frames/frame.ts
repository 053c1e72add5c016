/**
 * Frame headers (RFC 6455 section 5.2):
 *
 *     FIN(1) RSV(3) opcode(4)  MASK(1) length(7) [length(16) | length(64)] [masking key(32)]
 */

/** The opcodes of RFC 6455 section 5.2; 8 and above are control frames. */
export const opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** An opcode of {@link opcode}. */
export type Opcode = (typeof opcode)[keyof typeof opcode];

/** The bit FIN of a frame's first byte: the frame is the last of its message. */
export const finalBit = 0x80;

/** The bit RSV1 of a frame's first byte: the message is compressed (RFC 7692 section 6). */
export const deflatedBit = 0x40;

/** The longest payload of a control frame, in bytes (RFC 6455 section 5.5). */
export const maxControlSize = 125;

/** The longest payload that can be counted exactly, in bytes. */
export const longest: number = Number.MAX_SAFE_INTEGER;

/** The longest header, in bytes. */
export const maxHeaderSize = 14;

/** The largest payload lengths of headers of two and of four bytes. */
const tiny = 125;
const small = 0xffff;

/**
 * Writes a frame's header at `at`, with `first` as its first byte and the length in its shortest form. Returns where
 * the header ends; the masking key of a masked frame follows there.
 */
export function writeHeader(bytes: Uint8Array, at: number, first: number, length: number, masked: boolean): number {
  const mask = masked ? 0x80 : 0;
  bytes[at] = first;
  if (length <= tiny) {
    bytes[at + 1] = mask | length;
    return at + 2;
  }
  if (length <= small) {
    bytes[at + 1] = mask | 126;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    return at + 4;
  }
  bytes[at + 1] = mask | 127;
  const high = Math.floor(length / 2 ** 32);
  writeUint32(bytes, at + 2, high);
  writeUint32(bytes, at + 6, length);
  return at + 10;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Returned by {@link readLength} if more bytes of the header are needed. */
export const unfinished = -1;
/** Returned by it for a length that is not in its shortest form. */
const notShortest = -2;
/** Returned by it for a 64-bit length whose first bit is set. */
export const topBit = -3;

/** The payload length in the header at `at`, whose first two bytes must be there; `end` is where the bytes end. */
export function readLength(bytes: Uint8Array, at: number, end: number): number {
  const length = bytes[at + 1]! & 0x7f;
  if (length <= tiny) return length;
  if (length === 126) {
    if (end - at < 4) return unfinished;
    const medium = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return medium > tiny ? medium : notShortest;
  }
  if (end - at < 10) return unfinished;
  const high = readUint32(bytes, at + 2);
  const low = readUint32(bytes, at + 6);
  if (high >= 2 ** 31) return topBit;
  return high > 0 || low > small ? high * 2 ** 32 + low : notShortest;
}

/** The size of a header by its second byte, including the masking key. */
export function headerSize(second: number): number {
  const length = second & 0x7f;
  return (length <= tiny ? 2 : length === 126 ? 4 : 10) + (second >= 0x80 ? 4 : 0);
}

/** The masking key at `at`, as a number. */
export function readKey(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
