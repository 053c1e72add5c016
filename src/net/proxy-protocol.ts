import type { Peer } from "../core/index.ts";
import { checkNumber, decodeLatin1 } from "../core/internal.ts";
import { badProxyHeader, netError } from "./errors.ts";
import { addressOf, parseIPv4, parseIPv6 } from "./ip-address.ts";
import { ProxyHeader } from "./proxy-header.ts";
import { minSizeV2, parseProxyV2 } from "./proxy-v2.ts";

/** Options of {@link parseProxyHeader}. */
export interface ProxyHeaderOptions {
  /**
   * The largest header, in bytes. Default 4096; up to 65,551, the most that the format allows. Version 1 never has more
   * than 107.
   */
  maxSize?: number | undefined;
}

const textStart = Uint8Array.from("PROXY ", (character) => character.charCodeAt(0));
const binaryStart = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

/** The longest line, with its end (section 2.1). */
const longestLine = 107;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const port = /^(?:0|[1-9]\d{0,4})$/;

/**
 * Whether a connection that begins with these bytes begins with a header of the PROXY protocol, in either version;
 * undefined while more bytes are needed. Twelve bytes are always enough. The header may still turn out to be malformed.
 */
export function isProxyHeader(bytes: Uint8Array): boolean | undefined {
  if (bytes.length === 0) return undefined;
  // The two forms differ in their first byte.
  const start = bytes[0] === textStart[0] ? textStart : binaryStart;
  const size = Math.min(bytes.length, start.length);
  for (let index = 0; index < size; index++) if (bytes[index] !== start[index]) return false;
  return size === start.length ? true : undefined;
}

/**
 * Parses the header of the PROXY protocol at the beginning of a connection (HAProxy's proxy-protocol.txt sections 2.1
 * and 2.2). Returns undefined while more bytes are needed. The bytes after the header begin at its `size`. Keeps no
 * reference to `bytes`.
 *
 * Throws `net.no_proxy_header` if there is no such header, `net.bad_proxy_header` as soon as it breaks a rule,
 * `net.proxy_header_limit` if it is too long, and `core.invalid_argument` if `maxSize` is not a number.
 */
export function parseProxyHeader(bytes: Uint8Array, options: ProxyHeaderOptions = {}): ProxyHeader | undefined {
  checkMaxSize(options);
  const known = isProxyHeader(bytes);
  if (known === undefined) return undefined;
  if (!known) throw netError("net.no_proxy_header");
  if (bytes[0] === textStart[0]) return parseLine(bytes);
  return parseProxyV2(bytes, Math.max(minSizeV2, options.maxSize ?? 4096));
}

/** NaN would mean no limit. */
export function checkMaxSize({ maxSize }: ProxyHeaderOptions): void {
  checkNumber("maxSize", maxSize, 0, { unit: "bytes" });
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and an end of line. */
function parseLine(bytes: Uint8Array): ProxyHeader | undefined {
  let end = textStart.length;
  const last = Math.min(bytes.length, longestLine);
  while (end < last && bytes[end] !== carriageReturn && bytes[end] !== lineFeed) end++;
  if (end + 1 >= longestLine) throw badProxyHeader(`its line is longer than ${longestLine} bytes`);
  if (end < last && bytes[end] === lineFeed) throw badProxyHeader("its line does not end in CR LF");
  if (end + 1 >= bytes.length) return undefined;
  if (bytes[end + 1] !== lineFeed) throw badProxyHeader("its line does not end in CR LF");
  const size = end + 2;
  const [protocol, ...words] = decodeLatin1(bytes, textStart.length, end).split(" ");
  // The rest of the line must be ignored (section 2.1).
  if (protocol === "UNKNOWN") return new ProxyHeader({ version: 1, size });
  if (protocol !== "TCP4" && protocol !== "TCP6") throw badProxyHeader("its protocol is not TCP4, TCP6 or UNKNOWN");
  if (words.length !== 4) throw badProxyHeader("it needs two addresses and two ports, with one space between them");
  const [source, destination, sourcePort, destinationPort] = words as [string, string, string, string];
  return new ProxyHeader({
    version: 1,
    size,
    transport: "stream",
    source: endpoint(protocol, source, sourcePort),
    destination: endpoint(protocol, destination, destinationPort),
  });
}

function endpoint(protocol: "TCP4" | "TCP6", address: string, portText: string): Peer {
  const number = Number(portText);
  if (!port.test(portText) || number > 65_535) throw badProxyHeader("a port is not a number from 0 to 65535");
  if (protocol === "TCP4") {
    if (parseIPv4(address) === undefined) throw badProxyHeader("an address is not IPv4");
    return { address, port: number, family: "IPv4" };
  }
  const groups = parseIPv6(address);
  if (groups === undefined) throw badProxyHeader("an address is not IPv6");
  return { ...addressOf(groups), port: number };
}
