import type { ServalError } from "../core/index.ts";
import { clientError } from "./errors.ts";
import { loadProxyFromEnv } from "./packages.ts";
import { credentialsOf, hostAndPort, hostOf, portOf, toUrl, type Credentials, type Endpoint } from "./url.ts";

/** A proxy to connect through. */
export interface Proxy {
  /**
   * The proxy's protocol: HTTP CONNECT, CONNECT over TLS, SOCKS5 with names looked up here, SOCKS5 with names looked up
   * by the proxy.
   */
  readonly scheme: "http" | "https" | "socks5" | "socks5h";
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials | undefined;
}

const defaultPorts: Readonly<Record<Proxy["scheme"], number>> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 };

/**
 * Parses a proxy's URL. Throws `client.bad_proxy`, whose message does not show the URL, since it may contain a
 * password.
 */
export function parseProxy(given: string | URL): Proxy {
  const url = toUrl(given, badProxy, "http://user:password@proxy.example:3128");
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) {
    throw badProxy(`A proxy's URL begins with http:, https:, socks5: or socks5h:, not with ${url.protocol}`);
  }
  if (url.hostname === "") throw badProxy("The proxy's URL has no host");
  const credentials = credentialsOf(url, badProxy);
  // RFC 1929 section 2: the length of each is one byte.
  if (scheme.startsWith("socks") && credentials !== undefined && mostBytes(credentials) > 255) {
    throw badProxy("The user and the password of a SOCKS proxy have at most 255 bytes");
  }
  return { scheme, host: hostOf(url), port: portOf(url, defaultPorts[scheme]), credentials };
}

/** The prefixes of the variables that name a proxy, in order: for WebSockets, for HTTP, for all. */
const plain = ["ws", "http", "all"];
const secure = ["wss", "https", "all"];

/**
 * The proxy that the environment names for an endpoint: `WSS_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` for `wss:`;
 * `WS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` for `ws:`. Names in lower case take precedence. Undefined if none is set, or
 * if `NO_PROXY` has the host. A value without a scheme is an HTTP proxy.
 *
 * Throws `client.bad_proxy` and `client.missing_package`.
 */
export async function proxyFromEnvironment(endpoint: Endpoint): Promise<Proxy | undefined> {
  if (endpoint.unix !== undefined) return undefined;
  const scheme = (endpoint.isSecure ? secure : plain).find((name) => variable(name) !== undefined);
  if (scheme === undefined) return undefined;
  const { getProxyForUrl } = await loadProxyFromEnv();
  // The package looks at one variable and ALL_PROXY only, so it is asked about NO_PROXY alone.
  if (getProxyForUrl(`${scheme}://${hostAndPort(endpoint.host, endpoint.port)}`) === "") return undefined;
  const url = variable(scheme)!;
  return parseProxy(url.includes("://") ? url : `http://${url}`);
}

function variable(scheme: string): string | undefined {
  const name = `${scheme}_proxy`;
  return process.env[name] || process.env[name.toUpperCase()] || undefined;
}

function mostBytes({ user, password }: Credentials): number {
  return Math.max(Buffer.byteLength(user), Buffer.byteLength(password));
}

function isScheme(text: string): text is Proxy["scheme"] {
  return Object.hasOwn(defaultPorts, text);
}

function badProxy(message: string): ServalError {
  return clientError("client.bad_proxy", { message });
}
