/** The text of an IPv4 address, which must be one, as a number of 32 bits with a sign: V8 keeps it without an object. */
export function packIPv4(address: string): number {
  let packed = 0;
  let byte = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 0x2e) {
      packed = (packed << 8) | byte;
      byte = 0;
    } else {
      byte = byte * 10 + code - 0x30;
    }
  }
  return (packed << 8) | byte;
}

/** The text of an address of {@link packIPv4}. */
export function unpackIPv4(packed: number): string {
  return `${packed >>> 24}.${(packed >>> 16) & 255}.${(packed >>> 8) & 255}.${packed & 255}`;
}
