const handshakeRecord = 0x16;
const clientHello = 1;

/** The version and the client's random bytes, the least that a ClientHello has. */
const shortest = 34;

/**
 * Whether a connection that begins with these bytes speaks TLS: true if they can only be a ClientHello, false if they
 * can't be one, undefined while more bytes are needed. Nine bytes are always enough.
 *
 * The bytes of the record and of the message in it (RFC 8446 sections 5.1 and 4):
 *
 * ```
 * 0    type of the record, 22 for a handshake
 * 1-2  version
 * 3-4  length of the rest of the record
 * 5    type of the message, 1 for a ClientHello
 * 6-8  length of the rest of the message
 * ```
 */
export function isTlsClientHello(bytes: Uint8Array): boolean | undefined {
  if (bytes.length < 1) return undefined;
  if (bytes[0] !== handshakeRecord) return false;
  if (bytes.length < 5) return undefined;
  const recordLength = (bytes[3]! << 8) | bytes[4]!;
  if (recordLength < shortest) return false;
  if (bytes.length < 6) return undefined;
  if (bytes[5] !== clientHello) return false;
  if (bytes.length < 9) return undefined;
  const messageLength = (bytes[6]! << 16) | (bytes[7]! << 8) | bytes[8]!;
  // A ClientHello that continues in another record is legal, but no client sends one.
  return messageLength + 4 <= recordLength;
}
