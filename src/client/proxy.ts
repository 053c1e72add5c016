import type { ServalError } from "../core/index.ts";
import { clientError } from "./errors.ts";
import { loadProxyFromEnv } from "./packages.ts";
import { credentialsOf, hostAndPort, hostOf, portOf, toUrl, type Credentials, type Endpoint } from "./url.ts";

/** A proxy to connect through. */
export interface Proxy {
  /**
   * How it is spoken to: HTTP's CONNECT, the same over TLS, SOCKS5 with names looked up here, SOCKS5 with names looked up
   * by the proxy.
   */
  readonly scheme: "http" | "https" | "socks5" | "socks5h";
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials | undefined;
}

const defaultPorts: Readonly<Record<Proxy["scheme"], number>> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 };

/** Takes a proxy's URL apart. Throws `client.bad_proxy`, which does not show the URL: there may be a password in it. */
export function parseProxy(given: string | URL): Proxy {
  const url = toUrl(given, badProxy, "http://user:password@proxy.example:3128");
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) {
    throw badProxy(`A proxy's URL begins with http:, https:, socks5: or socks5h:, not with ${url.protocol}`);
  }
  if (url.hostname === "") throw badProxy("The proxy's URL has no host");
  const credentials = credentialsOf(url, badProxy);
  // RFC 1929 section 2: a byte tells the length of each.
  if (scheme.startsWith("socks") && credentials !== undefined && mostBytes(credentials) > 255) {
    throw badProxy("The user and the password of a SOCKS proxy have at most 255 bytes");
  }
  return { scheme, host: hostOf(url), port: portOf(url, defaultPorts[scheme]), credentials };
}

/** What the variables that name a proxy begin with, in their order: for WebSockets, for HTTP, for all. */
const plain = ["ws", "http", "all"];
const secure = ["wss", "https", "all"];

/**
 * The proxy that the environment names for an endpoint: `WSS_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` for `wss:`, `WS_PROXY`,
 * `HTTP_PROXY` or `ALL_PROXY` for `ws:`, in small letters too, which win; undefined if none, or if `NO_PROXY` has the
 * host. One that is written without a scheme is an HTTP proxy, as everywhere.
 *
 * Throws `client.bad_proxy` and `client.missing_package`.
 */
export async function proxyFromEnvironment(endpoint: Endpoint): Promise<Proxy | undefined> {
  if (endpoint.unix !== undefined) return undefined;
  const scheme = (endpoint.isSecure ? secure : plain).find((name) => variable(name) !== undefined);
  if (scheme === undefined) return undefined;
  const { getProxyForUrl } = await loadProxyFromEnv();
  // The package would ask for one variable alone and ALL_PROXY; what is left to it are the rules of NO_PROXY.
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
