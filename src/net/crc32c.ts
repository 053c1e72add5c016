/** The Castagnoli polynomial, its bits reversed. */
const polynomial = 0x82f63b78;

let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let rest = index;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}

/** The CRC32c of bytes (RFC 4960 appendix B). The four bytes from `zeros` on count as zero. */
export function crc32c(bytes: Uint8Array, zeros: number = Infinity): number {
  table ??= makeTable();
  let state = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) {
    const byte = index >= zeros && index < zeros + 4 ? 0 : bytes[index]!;
    state = table[(state ^ byte) & 255]! ^ (state >>> 8);
  }
  return ~state >>> 0;
}
