import type { Peer } from "../core/index.ts";
import { copyOf, decodeUtf8, isValidUtf8 } from "../core/internal.ts";
import { crc32c } from "./crc32c.ts";
import { badProxyHeader, netError } from "./errors.ts";
import { addressOf } from "./ip-address.ts";
import { ProxyHeader, tlvTypes, type ProxyFacts, type ProxyTlv } from "./proxy-header.ts";

/** The size of the part before the addresses: signature, version and command, family and transport, length. */
export const minSizeV2 = 16;

/** The size of a Unix socket's path, padded with zeros. */
const pathSize = 108;

/** The size of both addresses with their ports, by family: unspecified, IPv4, IPv6, Unix. */
const addressSizes = [0, 12, 36, 2 * pathSize] as const;
const transports = [undefined, "stream", "datagram"] as const;
const longestUniqueId = 128;

/**
 * Parses a header of version 2 whose signature was checked (section 2.2). Returns undefined while more bytes are
 * needed.
 *
 * ```
 * 12     version, 2, and command: 0 for local, 1 for proxy
 * 13     family and transport
 * 14-15  length of the rest: addresses, then TLVs (type, length, value)
 * ```
 */
export function parseProxyV2(bytes: Uint8Array, maxSize: number): ProxyHeader | undefined {
  const start = bytes[12] ?? 0x20;
  if (start >> 4 !== 2) throw badProxyHeader(`its version is ${start >> 4}, not 2`);
  const command = start & 15;
  if (command > 1) throw badProxyHeader(`its command is ${command}, neither 0 nor 1`);
  const family = (bytes[13] ?? 0) >> 4;
  const transport = (bytes[13] ?? 0) & 15;
  // They are checked for `local` too, though they are not used then.
  if (family >= addressSizes.length || transport >= transports.length) {
    throw badProxyHeader(`its family ${family} or transport ${transport} is undefined in the specification`);
  }
  if (bytes.length < minSizeV2) return undefined;
  const size = minSizeV2 + word(bytes, 14);
  if (size > maxSize) {
    const message = `The header of the PROXY protocol has ${size} bytes; the option maxSize allows ${maxSize}`;
    throw netError("net.proxy_header_limit", { message });
  }
  const rest = minSizeV2 + addressSizes[family]!;
  if (command === 1 && size < rest) throw badProxyHeader("it is too short for its addresses");
  if (bytes.length < size) return undefined;
  if (command === 0) return new ProxyHeader({ version: 2, size, command: "local" });
  const own = copyOf(bytes, size);
  const facts: ProxyFacts = { version: 2, size, tlvs: tlvsOf(own, rest) };
  // If either is unspecified, the addresses must be ignored (section 2.2).
  if (family === 0 || transport === 0) return new ProxyHeader(facts);
  return new ProxyHeader({ ...facts, transport: transports[transport], ...endpoints(own, family) });
}

function endpoints(bytes: Uint8Array, family: number): { source: Peer | undefined; destination: Peer | undefined } {
  if (family === 3) return { source: unixPath(bytes, 16), destination: unixPath(bytes, 16 + pathSize) };
  const length = family === 1 ? 4 : 16;
  const ports = 16 + 2 * length;
  return {
    source: internet(bytes, 16, length, word(bytes, ports)),
    destination: internet(bytes, 16 + length, length, word(bytes, ports + 2)),
  };
}

function internet(bytes: Uint8Array, offset: number, length: number, port: number): Peer {
  if (length === 4) return { address: bytes.subarray(offset, offset + 4).join("."), port, family: "IPv4" };
  const groups = Array.from({ length: 8 }, (_, index) => word(bytes, offset + 2 * index));
  return { ...addressOf(groups), port };
}

/**
 * The path of a Unix socket, up to the first zero; an abstract name begins with one. Undefined if the path is empty.
 */
function unixPath(bytes: Uint8Array, offset: number): Peer | undefined {
  const field = bytes.subarray(offset, offset + pathSize);
  const end = field.indexOf(0, 1);
  const path = decodeUtf8(field, 0, end === -1 ? pathSize : end);
  return path === "\0" ? undefined : { unix: path };
}

/** The TLVs from `start` to the end of the header. */
function tlvsOf(header: Uint8Array, start: number): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  for (let offset = start; offset < header.length;) {
    const begin = offset + 3;
    const end = begin + (begin <= header.length ? word(header, offset + 1) : 0);
    if (begin > header.length || end > header.length) throw badProxyHeader("one of its TLVs goes beyond its end");
    const tlv: ProxyTlv = { type: header[offset]!, value: header.subarray(begin, end) };
    // Each checksum costs a pass over the whole header, so a second one is refused.
    if (tlv.type === tlvTypes.crc32c && tlvs.some(({ type }) => type === tlvTypes.crc32c)) {
      throw badProxyHeader("it has two checksums");
    }
    check(tlv, header, begin);
    tlvs.push(tlv);
    offset = end;
  }
  return tlvs;
}

/** Refuses a value that its type does not allow; `begin` is its offset in the header. */
function check({ type, value }: ProxyTlv, header: Uint8Array, begin: number): void {
  if (type === tlvTypes.crc32c) {
    if (value.length !== 4) throw badProxyHeader("its checksum does not have four bytes");
    const sum = word(value, 0) * 0x10000 + word(value, 2);
    if (crc32c(header, begin) !== sum) throw badProxyHeader("its checksum is wrong");
  } else if (type === tlvTypes.uniqueId && value.length > longestUniqueId) {
    throw badProxyHeader(`its unique id is longer than ${longestUniqueId} bytes`);
  } else if (type === tlvTypes.authority && !isValidUtf8(value)) {
    throw badProxyHeader("its authority is not UTF-8");
  }
}

/** Two bytes in network order. */
function word(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
