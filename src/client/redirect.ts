import { ServalError, type ResponseLike } from "../core/index.ts";
import { Fields } from "../http/index.ts";
import { isRedirect } from "../http/internal.ts";
import { clientError } from "./errors.ts";
import type { TlsOptions } from "./options.ts";
import { isSameOrigin, isUnix, parseUrl, placeOf, type Endpoint } from "./url.ts";

// The target of a redirect (RFC 9110 section 15.4), and what may be sent there. Pure.

/** An endpoint, and what the client sends and shows there. */
export interface Destination {
  readonly endpoint: Endpoint;
  readonly headers: Fields;
  readonly protocols: readonly string[];
  readonly tls: TlsOptions;
  /** Whether a redirect has left the origin of the URL that the caller gave; coming back does not change that. */
  readonly isElsewhere: boolean;
}

/**
 * The caller's headers that another origin gets: those that a browser itself puts into a handshake. Any other may be a
 * credential, such as X-Api-Key.
 */
const harmless: readonly string[] = [
  "accept-encoding",
  "accept-language",
  "cache-control",
  "origin",
  "pragma",
  "user-agent",
];

/**
 * The target of a redirect; undefined if the response is none. Throws `client.insecure_redirect`,
 * `client.bad_redirect` and, unless it may go to another origin, `client.cross_origin_redirect`, with the response.
 */
export function redirected(from: Destination, response: ResponseLike, crossOrigin: boolean): Destination | undefined {
  if (!isRedirect(response)) return undefined;
  const place = placeOf(from.endpoint);
  const endpoint = resolve(response.headers.first("Location")!, from.endpoint);
  if (endpoint === undefined) {
    const message = `${place} redirects to a URL that is not ws:, wss:, http: or https:`;
    throw clientError("client.bad_redirect", { response, message });
  }
  if (from.endpoint.isSecure && !endpoint.isSecure) {
    const message = `${place} redirects from wss: to ws:, to ${placeOf(endpoint)}`;
    throw clientError("client.insecure_redirect", { response, message });
  }
  if (!from.isElsewhere && isSameOrigin(from.endpoint, endpoint)) {
    return { ...from, endpoint: { ...endpoint, credentials: endpoint.credentials ?? from.endpoint.credentials } };
  }
  if (!crossOrigin) {
    const message =
      `${place} redirects to another origin, ${placeOf(endpoint)}: connect there yourself, or pass ` +
      "redirects: { most: 5, crossOrigin: true }, which takes no credentials along";
    throw clientError("client.cross_origin_redirect", { response, message });
  }
  return elsewhere(from, endpoint);
}

/** The destination of another origin, which gets nothing that may be a credential. */
function elsewhere(from: Destination, endpoint: Endpoint): Destination {
  const { cert: _cert, key: _key, pfx: _pfx, passphrase: _passphrase, servername: _name, ...tls } = from.tls;
  return {
    // Neither the URL's user nor one that the redirecting server has chosen.
    endpoint: { ...endpoint, credentials: undefined },
    headers: new Fields([...from.headers].filter(([name]) => harmless.includes(name.toLowerCase()))),
    // A subprotocol may be a ticket.
    protocols: [],
    tls,
    isElsewhere: true,
  };
}

/** The endpoint that a Location names, which may be relative; undefined if a server may not redirect there. */
function resolve(location: string, from: Endpoint): Endpoint | undefined {
  const base = `${from.isSecure ? "wss" : "ws"}://${from.authority}${from.target}`;
  // One character is one byte; browsers write those that are not ASCII as escapes, whatever encoding they are in.
  const escaped = location.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  if (!URL.canParse(escaped, base)) return undefined;
  const url = new URL(escaped, base);
  // A remote server may not name a socket of this machine.
  if (isUnix(url)) return undefined;
  // Location may have a fragment (RFC 9110 section 10.2.2), which is not sent.
  url.hash = "";
  try {
    const endpoint = parseUrl(url);
    // The same Host is asked at the same address, also if that is a Unix socket or was given apart from the Host.
    const isSame = endpoint.authority === from.authority && endpoint.isSecure === from.isSecure;
    return isSame ? { ...endpoint, host: from.host, port: from.port, unix: from.unix } : endpoint;
  } catch (error) {
    if (error instanceof ServalError) return undefined;
    throw error;
  }
}
