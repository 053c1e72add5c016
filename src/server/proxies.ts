import { BlockList, isIP } from "node:net";
import { invalidArgument } from "../core/errors.ts";
import type { Peer } from "../core/index.ts";
import { checkOptionNames } from "../core/option-names.ts";
import { isPlainObject } from "../core/plain-object.ts";
import type { Request } from "../http/index.ts";

/** Which proxies in front of a server are believed, and what: the option `proxies`. */
export interface ProxyOptions {
  /**
   * The addresses of the proxies: IP addresses, networks such as "10.0.0.0/8", "loopback" for this machine (Unix sockets
   * too), "private" for it and the networks of RFC 1918, RFC 4193 and link-local ones.
   */
  trusted: readonly string[];
  /**
   * The field in which they say whom a request comes from: the one that all of them set or append to. A field that they
   * merely pass on is the client's own invention. Default "X-Forwarded-For".
   */
  field?: "X-Forwarded-For" | "Forwarded" | undefined;
}

/** Whom a request comes from: the peer of its connection, or the client that trusted proxies name. */
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
const local = blockList(privateNetworks);

/** Whether a peer is on this machine or a private network: perhaps a proxy, which stands for many clients. */
export function isLocal({ address, path }: Peer): boolean {
  return path !== undefined || address === undefined || isIn(local, address);
}

/** Makes of the option `proxies` what tells whom a request comes from. Throws `core.invalid_argument`. */
export function clientOf(proxies: ProxyOptions | undefined): ClientOf {
  if (proxies === undefined) return (_, peer) => peer;
  const { field, isTrusted } = settingsOf(proxies);
  const read = field === "Forwarded" ? forwardedFor : xForwardedFor;
  return (request, peer) => {
    if (peer === undefined || !isTrusted(peer)) return peer;
    let client = peer;
    // Each proxy appends whom it was asked by: from the end, as far as those who say it are trusted.
    for (const name of read(request.fields.joined(field) ?? "").toReversed()) {
      const next = parseNode(name);
      if (next === undefined) break;
      client = next;
      if (!isTrusted(next)) break;
    }
    return client;
  };
}

/** Whether a peer is one of the proxies that are trusted. */
export function trusts(proxies: ProxyOptions | undefined): (peer: Peer) => boolean {
  return proxies === undefined ? () => false : settingsOf(proxies).isTrusted;
}

function settingsOf(proxies: ProxyOptions): {
  field: "X-Forwarded-For" | "Forwarded";
  isTrusted: (peer: Peer) => boolean;
} {
  if (!isPlainObject(proxies) || !Array.isArray(proxies.trusted)) {
    throw invalidArgument('The option proxies must be an object, such as { trusted: ["10.0.0.0/8"] }');
  }
  checkOptionNames("proxies", proxies, ["trusted", "field"]);
  const { field = "X-Forwarded-For", trusted } = proxies;
  if (field !== "X-Forwarded-For" && field !== "Forwarded") {
    throw invalidArgument(`proxies.field must be "X-Forwarded-For" or "Forwarded", not ${String(field)}`);
  }
  const list = blockList(
    trusted.flatMap((one) => (one === "loopback" ? loopback : one === "private" ? privateNetworks : [one])),
  );
  const trustsPaths = trusted.includes("loopback") || trusted.includes("private");
  return {
    field,
    isTrusted: ({ address, path }) => (path === undefined ? address !== undefined && isIn(list, address) : trustsPaths),
  };
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = String(network).split("/");
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
    if (version === 0 || prefix > longest) {
      throw invalidArgument(
        `proxies.trusted has ${network}; it takes IP addresses, networks such as "10.0.0.0/8", "loopback", "private"`,
      );
    }
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
}

function xForwardedFor(value: string): string[] {
  return value.split(",").map((name) => name.trim());
}

/** The `for` of each element of Forwarded (RFC 7239 section 4); "" for one that has none. */
function forwardedFor(value: string): string[] {
  const elements = value.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return elements.map((element) => {
    const [, quoted, token] = /(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/i.exec(element.trim()) ?? [];
    return quoted?.replaceAll(/\\(.)/g, "$1") ?? token ?? "";
  });
}

/** An address, with a port or without (RFC 7239 section 6). Names that are none ("unknown", "_hidden") are undefined. */
function parseNode(name: string): Peer | undefined {
  const [, bracketed, bare, port] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}))?$/i.exec(name) ?? [];
  const address = bracketed ?? bare ?? name;
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  const peer = { address, family: version === 4 ? ("IPv4" as const) : ("IPv6" as const) };
  return port === undefined ? peer : { ...peer, port: Number(port) };
}
