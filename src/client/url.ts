import type { ServalError } from "../core/index.ts";
import { invalidArgument, show } from "../core/internal.ts";
import { clientError } from "./errors.ts";

/** The place of a WebSocket: what to connect to, and what to request there. */
export interface Endpoint {
  /** Whether to use TLS: `wss:`. */
  readonly isSecure: boolean;
  /** The name or address of the host, without brackets. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
  /** The path of a Unix socket, instead of host and port. */
  readonly unix: string | undefined;
  /** The value of Host: an IPv6 address in brackets, and no port if it is the scheme's default. */
  readonly authority: string;
  /** The request target. */
  readonly target: string;
  /** The user and password of the URL. */
  readonly credentials: Credentials | undefined;
}

/** A user and password, decoded. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const isSecure: Readonly<Record<string, boolean>> = { "ws:": false, "http:": false, "wss:": true, "https:": true };

/**
 * Parses a WebSocket's URL (RFC 6455 section 3): `ws:` and `wss:`, or `http:` and `https:` with the same meaning, as in
 * WHATWG's WebSocket; or `ws+unix:/path/to.sock:/target`, and `wss+unix:` with TLS. Throws `client.bad_url`, whose
 * message does not show the URL, since it may contain a password or token.
 */
export function parseUrl(given: string | URL): Endpoint {
  const url = toUrl(given, badUrl, "ws://example.com/chat");
  if (url.href.includes("#")) throw badUrl('A WebSocket URL has no fragment: leave out the "#", or write it as %23');
  if (isUnix(url)) return unixEndpoint(url);
  const secure = isSecure[url.protocol];
  if (secure === undefined) {
    throw badUrl(
      `A WebSocket URL begins with ws:, wss:, http:, https:, ws+unix: or wss+unix:, not with ${url.protocol}`,
    );
  }
  return {
    isSecure: secure,
    host: hostOf(url),
    port: portOf(url, secure ? 443 : 80),
    unix: undefined,
    authority: url.host,
    target: url.pathname + url.search,
    credentials: credentialsOf(url, badUrl),
  };
}

/** Whether a URL names a Unix socket. */
export function isUnix({ protocol }: URL): boolean {
  return protocol === "ws+unix:" || protocol === "wss+unix:";
}

/** The path of the socket and, after a colon, the target. A colon in the path is written as `%3A`. */
function unixEndpoint(url: URL): Endpoint {
  const [path, ...rest] = url.pathname.split(":");
  const target = rest.join(":") || "/";
  if (url.host !== "" || path === undefined || path === "" || !target.startsWith("/")) {
    throw badUrl("The URL of a Unix socket is written as ws+unix:/path/to.sock:/target");
  }
  const secure = url.protocol === "wss+unix:";
  return {
    isSecure: secure,
    host: "localhost",
    port: secure ? 443 : 80,
    unix: decode(path, badUrl),
    authority: "localhost",
    target: target + url.search,
    credentials: undefined,
  };
}

/**
 * Whether a redirect stays within the origin (RFC 6454 section 4), so that its target may get the same secrets. The
 * same host with TLS, from default port to default port, counts as the same origin. At one address, another Host is
 * another origin.
 */
export function isSameOrigin(from: Endpoint, to: Endpoint): boolean {
  if (from.host !== to.host || from.unix !== to.unix || from.authority !== to.authority) return false;
  if (from.isSecure === to.isSecure) return from.port === to.port;
  return to.isSecure && from.port === 80 && to.port === 443;
}

/**
 * The endpoint with another Host, at the same address: `example.com`, `example.com:8443`, `[::1]`, written as browsers do.
 * Throws `core.invalid_argument`.
 */
export function withHost(endpoint: Endpoint, host: string): Endpoint {
  const base = `${endpoint.isSecure ? "wss" : "ws"}://`;
  const url = typeof host === "string" && URL.canParse(base + host) ? new URL(base + host) : undefined;
  if (url === undefined || url.href !== `${base}${url.host}/` || /[/?#@\\\s]/.test(host)) {
    throw invalidArgument(
      `host must be a name or address with or without a port, such as example.com or [::1]:8080, not ${show(host)}`,
    );
  }
  return { ...endpoint, authority: url.host };
}

/** The name that the server's certificate has to be for, and that TLS asks for: the host of the Host header. */
export function serverName({ authority }: Endpoint): string {
  return hostOf(new URL(`ws://${authority}`));
}

/** The place as text for messages, without target and credentials. */
export function placeOf({ unix, host, port }: Pick<Endpoint, "unix" | "host" | "port">): string {
  return unix ?? hostAndPort(host, port);
}

/** `host:port` as in RFC 3986 section 3.2. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Makes the error for an invalid URL. */
type Bad = (message: string) => ServalError;

/** The URL as an object. */
export function toUrl(given: string | URL, bad: Bad, example: string): URL {
  if (given instanceof URL) return given;
  try {
    // Not canParse first, which would parse it twice.
    if (typeof given === "string") return new URL(given);
  } catch {
    // Its message contains the URL.
  }
  const what = typeof given === "string" ? oddity(given) : `A URL is a string or URL, not ${typeof given}`;
  throw bad(`${what}: write it like ${example}`);
}

/** What is wrong with a text that is no URL, without showing it. */
function oddity(given: string): string {
  if (given.startsWith("/")) return "A Unix socket is written as ws+unix:/path/to.sock:/target, another address whole";
  return /^[a-z][a-z\d+.-]*:\/\/[^/]/i.test(given) ? "The URL's host or port is invalid" : "This is not a whole URL";
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}

/** The port of a URL. */
export function portOf(url: URL, byDefault: number): number {
  return url.port === "" ? byDefault : Number(url.port);
}

/** The user and password of a URL, if it has any. */
export function credentialsOf({ username, password }: URL, bad: Bad): Credentials | undefined {
  if (username === "" && password === "") return undefined;
  return { user: decode(username, bad), password: decode(password, bad) };
}

/** Credentials as the value of Authorization or Proxy-Authorization (RFC 7617). */
export function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function decode(text: string, bad: Bad): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('A "%" in the URL\'s user, password or path of a socket is written as %25');
  }
}

function badUrl(message: string): ServalError {
  return clientError("client.bad_url", { message });
}
