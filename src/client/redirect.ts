import { ServalError, type ResponseLike } from "../core/index.ts";
import { Fields } from "../http/index.ts";
import { clientError } from "./errors.ts";
import type { TlsOptions } from "./options.ts";
import { isSameOrigin, parseUrl, placeOf, type Endpoint } from "./url.ts";

// The target of a redirect (RFC 9110 section 15.4), and what may be sent there. Pure.

/** An endpoint, and what identifies the client to it. */
export interface Destination {
  readonly endpoint: Endpoint;
  readonly headers: Fields;
  readonly tls: TlsOptions;
}

const statuses: readonly number[] = [301, 302, 303, 307, 308];

/** Headers that identify the client to a server. */
const secretFields: readonly string[] = ["Authorization", "Cookie"];

/**
 * The target of a redirect; undefined if the response is none. Throws `client.insecure_redirect` and
 * `client.bad_redirect`, with the response.
 */
export function redirected(from: Destination, response: ResponseLike): Destination | undefined {
  const location = response.headers.first("Location");
  if (!statuses.includes(response.status) || location === undefined) return undefined;
  const place = placeOf(from.endpoint);
  const endpoint = resolve(location, from.endpoint);
  if (endpoint === undefined) {
    const message = `${place} redirects to a URL that is not ws:, wss:, http: or https:`;
    throw clientError("client.bad_redirect", { response, message });
  }
  if (from.endpoint.isSecure && !endpoint.isSecure) {
    const message = `${place} redirects from wss: to ws:, to ${placeOf(endpoint)}`;
    throw clientError("client.insecure_redirect", { response, message });
  }
  if (isSameOrigin(from.endpoint, endpoint)) {
    return { ...from, endpoint: { ...endpoint, credentials: endpoint.credentials ?? from.endpoint.credentials } };
  }
  const headers = new Fields(from.headers);
  for (const name of secretFields) headers.delete(name);
  const { cert: _cert, key: _key, pfx: _pfx, passphrase: _passphrase, servername: _name, ...tls } = from.tls;
  return { endpoint, headers, tls };
}

/** The endpoint that a Location names, which may be relative; undefined if a server may not redirect there. */
function resolve(location: string, from: Endpoint): Endpoint | undefined {
  const base = `${from.isSecure ? "wss" : "ws"}://${from.authority}${from.target}`;
  if (!URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  // A remote server may not name a socket of this machine.
  if (url.protocol === "ws+unix:") return undefined;
  // Location may have a fragment (RFC 9110 section 10.2.2), which is not sent.
  url.hash = "";
  try {
    const endpoint = parseUrl(url);
    const isRelative = from.unix !== undefined && url.host === from.authority && !endpoint.isSecure;
    return isRelative ? { ...endpoint, unix: from.unix } : endpoint;
  } catch (error) {
    if (error instanceof ServalError) return undefined;
    throw error;
  }
}
