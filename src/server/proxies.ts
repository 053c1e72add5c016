import { isIP } from "node:net";
import type { Peer } from "../core/index.ts";
import { checkChoice, checkOptions, invalidArgument, optionSet, show } from "../core/internal.ts";
import type { Request } from "../http/index.ts";
import { addressOf, parseIPv6 } from "../net/internal.ts";
import { Networks } from "./networks.ts";

/** The proxies in front of a server that are trusted, and what they say: the option `proxies`. */
export interface ProxyOptions {
  /**
   * The addresses of the proxies: IP addresses, networks such as "10.0.0.0/8", "loopback" for this machine (including
   * Unix sockets), "private" for this machine, the networks of RFC 1918 and RFC 4193, and link-local ones.
   */
  trusted: readonly string[];
  /**
   * The header that names the client. All trusted proxies must set or append to it: a header that they only pass on can
   * be forged by the client, and so can one to which they append an empty element. Default "X-Forwarded-For".
   */
  header?: "X-Forwarded-For" | "Forwarded" | undefined;
}

/** The client that a request comes from: the connection's peer, or the client named by trusted proxies. */
export type ClientOf = (request: Request, peer: Peer | undefined) => Peer | undefined;

const loopback = ["127.0.0.0/8", "::1/128"];
const privateNetworks = [
  ...loopback,
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** The machine itself, and private networks. */
const local = networksOf(privateNetworks);

/** Whether a peer is on this machine or a private network, and so may be a proxy for many clients. */
export function isLocal({ address, unix }: Peer): boolean {
  return unix !== undefined || address === undefined || local.has(address);
}

/** Makes a function from the option `proxies` that finds a request's client. Throws `core.invalid_argument`. */
export function clientOf(proxies: ProxyOptions | undefined): ClientOf {
  if (proxies === undefined) return (_, peer) => peer;
  const { header, isTrusted } = settingsOf(proxies);
  const read = header === "Forwarded" ? forwardedFor : xForwardedFor;
  return (request, peer) => {
    if (peer === undefined || !isTrusted(peer)) return peer;
    let client = peer;
    // Each proxy appends the address of its client, so this reads from the end, as long as the proxy that appended is
    // trusted.
    for (const name of read(request.headers.get(header) ?? "")) {
      const next = parseNode(name);
      if (next === undefined) break;
      client = next;
      if (!isTrusted(next)) break;
    }
    return client;
  };
}

/** Whether a peer is a trusted proxy. */
export function trusts(proxies: ProxyOptions | undefined): (peer: Peer) => boolean {
  return proxies === undefined ? () => false : settingsOf(proxies).isTrusted;
}

const proxiesOptions = optionSet("proxies", ["trusted", "header"], '{ trusted: ["10.0.0.0/8"] }');

function settingsOf(proxies: ProxyOptions): {
  header: "X-Forwarded-For" | "Forwarded";
  isTrusted: (peer: Peer) => boolean;
} {
  checkOptions(proxiesOptions, proxies);
  const { trusted } = proxies;
  if (!Array.isArray(trusted)) {
    throw invalidArgument(`proxies.trusted must be a list, such as ["10.0.0.0/8"], not ${show(trusted)}`);
  }
  const header = checkChoice("proxies.header", proxies.header, ["X-Forwarded-For", "Forwarded"]);
  const list = networksOf(
    trusted.flatMap((one) => (one === "loopback" ? loopback : one === "private" ? privateNetworks : [one])),
  );
  const trustsUnix = trusted.includes("loopback") || trusted.includes("private");
  return {
    header,
    isTrusted: ({ address, unix }) => (unix === undefined ? address !== undefined && list.has(address) : trustsUnix),
  };
}

function networksOf(texts: readonly string[]): Networks {
  const networks = new Networks();
  for (const text of texts) {
    if (typeof text === "string" && networks.add(text)) continue;
    throw invalidArgument(
      `proxies.trusted has ${show(text)}; it takes IP addresses, networks such as "10.0.0.0/8", "loopback", "private"`,
    );
  }
  return networks;
}

/** The names in X-Forwarded-For, the last one first. */
function xForwardedFor(value: string): string[] {
  return value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .toReversed();
}

/**
 * The `for` of each element of Forwarded (RFC 7239 section 4), the last one first, without empty elements (RFC 9110
 * 5.6.1.2); "" if an element has none or is malformed. Elements are found from the end, since the front may come from
 * anybody: an unclosed quotation mark there must not swallow what a proxy has appended.
 */
function* forwardedFor(value: string): Generator<string, undefined> {
  let end = value.length;
  let isQuoted = false;
  for (let at = end - 1; at >= 0; at--) {
    if (value[at] === '"' && !(isQuoted && isEscaped(value, at))) isQuoted = !isQuoted;
    else if (value[at] === "," && !isQuoted) {
      yield* forOf(value.slice(at + 1, end));
      end = at;
    }
  }
  yield* forOf(value.slice(0, end));
}

/** Whether an odd number of backslashes precedes the position. */
function isEscaped(value: string, at: number): boolean {
  let first = at;
  while (value[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

/** The `for` of an element, unless it is empty. */
function* forOf(element: string): Generator<string, undefined> {
  if (element.trim() !== "") yield nodeOf(element.trim());
}

/**
 * The `for` of an element; "" if it has none or several, or is malformed. Quotes around an address with a colon may be
 * missing.
 */
function nodeOf(element: string): string {
  const pair = /(?:([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]*)))?(?:;|$)/y;
  let found = "";
  while (pair.lastIndex < element.length) {
    const parts = pair.exec(element);
    if (parts === null) return "";
    const [, name, quoted, token] = parts;
    if (name?.toLowerCase() !== "for") continue;
    if (found !== "") return "";
    found = quoted?.replaceAll(/\\(.)/g, "$1") ?? token!;
  }
  return found;
}

/**
 * An address, with or without a port (RFC 7239 section 6). Undefined for names that are no address ("unknown",
 * "_hidden").
 */
function parseNode(name: string): Peer | undefined {
  const [, bracketed, bare, port] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}|_[\w.-]+))?$/i.exec(name) ?? [];
  const text = bracketed ?? bare ?? name;
  const version = isIP(text);
  if (version === 0 || text.includes("%") || (bracketed !== undefined && version === 4)) return undefined;
  // One form for each address, whatever form the proxy uses.
  const peer = version === 4 ? { address: text, family: "IPv4" as const } : addressOf(parseIPv6(text)!);
  // A name instead of a port is ignored.
  return port === undefined || !(Number(port) <= 65_535) ? peer : { ...peer, port: Number(port) };
}
