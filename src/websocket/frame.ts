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

/** The longest payload of a control frame, in bytes (RFC 6455 section 5.5). */
export const maxControlSize = 125;

/** The longest header, in bytes. */
export const maxHeaderSize = 14;

/** The largest payload whose length fits into a header of two bytes; of four. */
const tiny = 125;
const small = 0xffff;

/** Writes an unmasked frame's header at `at`, with its length in the shortest form; returns where the payload goes. */
export function writeHeader(bytes: Uint8Array, at: number, code: Opcode, fin: boolean, length: number): number {
  bytes[at] = fin ? 0x80 | code : code;
  if (length <= tiny) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length <= small) {
    bytes[at + 1] = 126;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    return at + 4;
  }
  bytes[at + 1] = 127;
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
