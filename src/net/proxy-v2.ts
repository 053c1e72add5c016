import type { Peer } from "../core/index.ts";
import { copyOf, decodeUtf8, isValidUtf8 } from "../core/internal.ts";
import { crc32c } from "./crc32c.ts";
import { badProxyHeader, netError } from "./errors.ts";
import { formatIPv6 } from "./ip-address.ts";
import { ProxyHeader, tlvTypes, type ProxyFacts, type ProxyTlv } from "./proxy-header.ts";

/** What comes before the addresses: signature, version and command, family and transport, length. */
export const minSizeV2 = 16;

/** How long a path of a Unix socket is, filled up with zeros. */
const pathSize = 108;

/** How long both addresses are, with their ports, by family: unspecified, IPv4, IPv6, Unix. */
const addressSizes = [0, 12, 36, 2 * pathSize] as const;
const transports = [undefined, "stream", "datagram"] as const;
const longestUniqueId = 128;

/**
 * A header of version 2, whose signature is there; section 2.2. Undefined while more bytes are needed.
 *
 * ```
 * 12     version, 2, and command: 0 for local, 1 for proxy
 * 13     family and transport
 * 14-15  length of what follows: addresses, then the rest in pieces of type, length, value
 * ```
 */
export function parseProxyV2(bytes: Uint8Array, maxSize: number): ProxyHeader | undefined {
  const start = bytes[12] ?? 0x20;
  if (start >> 4 !== 2) throw badProxyHeader(`its version is ${start >> 4}, and not 2`);
  const command = start & 15;
  if (command > 1) throw badProxyHeader(`its command is ${command}, and neither 0 nor 1`);
  const family = (bytes[13] ?? 0) >> 4;
  const transport = (bytes[13] ?? 0) & 15;
  // Where the command is local they mean nothing, but are no less wrong.
  if (family >= addressSizes.length || transport >= transports.length) {
    throw badProxyHeader(`its family and transport are ${family} and ${transport}, which nobody has defined`);
  }
  if (bytes.length < minSizeV2) return undefined;
  const size = minSizeV2 + word(bytes, 14);
  if (size > maxSize) {
    const message = `The header of the PROXY protocol has ${size} bytes, and ${maxSize} are allowed (option maxSize)`;
    throw netError("net.proxy_header_limit", { message });
  }
  const rest = minSizeV2 + addressSizes[family]!;
  if (command === 1 && size < rest) throw badProxyHeader("it is too short for its addresses");
  if (bytes.length < size) return undefined;
  if (command === 0) return new ProxyHeader({ version: 2, size, command: "local" });
  const own = copyOf(bytes, size);
  const facts: ProxyFacts = { version: 2, size, tlvs: tlvsOf(own, rest) };
  // Of what is unspecified in one respect, the specification says to ignore the addresses.
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
  return { address: formatIPv6(groups), port, family: "IPv6" };
}

/** The path of a Unix socket, up to a zero, but for the one that an abstract name begins with. Undefined where it has none. */
function unixPath(bytes: Uint8Array, offset: number): Peer | undefined {
  const field = bytes.subarray(offset, offset + pathSize);
  const end = field.indexOf(0, 1);
  const path = decodeUtf8(field, 0, end === -1 ? pathSize : end);
  return path === "\0" ? undefined : { unix: path };
}

/** The pieces from `start` to the end of the header. */
function tlvsOf(header: Uint8Array, start: number): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  for (let offset = start; offset < header.length;) {
    const begin = offset + 3;
    const end = begin + (begin <= header.length ? word(header, offset + 1) : 0);
    if (begin > header.length || end > header.length) throw badProxyHeader("a piece of it goes beyond its end");
    const tlv: ProxyTlv = { type: header[offset]!, value: header.subarray(begin, end) };
    // Each would be worth a pass over all of the header.
    if (tlv.type === tlvTypes.crc32c && tlvs.some(({ type }) => type === tlvTypes.crc32c)) {
      throw badProxyHeader("it has two checksums");
    }
    check(tlv, header, begin);
    tlvs.push(tlv);
    offset = end;
  }
  return tlvs;
}

/** Refuses a piece that can't be what its type says; `begin` is where its value is in the header. */
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

/** Two bytes, in the network's order. */
function word(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
