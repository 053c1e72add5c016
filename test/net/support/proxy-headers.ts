// Headers of the PROXY protocol's version 2, for tests.

export const signature: Buffer = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** A header, as long as it is. */
export function binaryHeader(start: number, family: number, ...parts: readonly Uint8Array[]): Buffer {
  const rest = Buffer.concat(parts);
  const head = Buffer.from([start, family, rest.length >> 8, rest.length & 255]);
  return Buffer.concat([signature, head, rest]);
}

/** A piece of type, length and value. */
export function piece(type: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** From 192.0.2.1:56324 to 192.0.2.2:443. */
export const addresses4: Buffer = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb]);

/** From [2001:db8::1]:56324 to [::ffff:192.0.2.2]:443. */
export const addresses6: Buffer = Buffer.concat([
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from("00000000000000000000ffffc0000202", "hex"),
  Buffer.from([0xdc, 0x04, 0x01, 0xbb]),
]);
