import { ServalError, type ResponseLike } from "../core/index.ts";
import { Fields } from "../http/index.ts";
import { isRedirect } from "../http/internal.ts";
import { Stream } from "../websocket/index.ts";
import { dial } from "./dial.ts";
import { clientError } from "./errors.ts";
import { Limit } from "./limit.ts";
import type { ConnectSettings } from "./options.ts";
import { redirected, type Destination } from "./redirect.ts";
import { basic, placeOf, withHost, type Endpoint } from "./url.ts";

/** One attempt to open a WebSocket: its steps and those of all redirects, under one deadline. */
export async function attempt<Data>(endpoint: Endpoint, settings: ConnectSettings<Data>): Promise<Stream<Data>> {
  const { stream, headers, host, protocols, tls } = settings;
  const asked = host === undefined ? endpoint : withHost(endpoint, host);
  const what = `Connecting to ${placeOf(endpoint)}`;
  const limit = new Limit(stream.timeouts.client.handshake, stream.clock, what, settings.signal);
  try {
    return await follow({ endpoint: asked, headers, protocols, tls, isElsewhere: false }, settings, limit.signal);
  } catch (failure) {
    throw limit.errorOf(failure);
  } finally {
    limit.release();
  }
}

async function follow<Data>(
  first: Destination,
  settings: ConnectSettings<Data>,
  signal: AbortSignal,
): Promise<Stream<Data>> {
  const { most, crossOrigin } = settings.redirects;
  let destination = first;
  for (let left = most; ; left--) {
    try {
      return await open(destination, settings, signal);
    } catch (error) {
      // Only the server's own response may redirect; a proxy can refuse, but not redirect.
      const isDeclined = error instanceof ServalError && error.code === "websocket.upgrade_declined";
      if (!isDeclined || error.response === undefined) throw error;
      if (most === 0) throw withAdvice(error, error.response);
      const next = redirected(destination, error.response, crossOrigin);
      if (next === undefined) throw error;
      if (left === 0) throw clientError("client.too_many_redirects", { cause: error, response: error.response });
      destination = next;
    }
  }
}

/** A server that expects TLS mostly ends a connection without it silently; the message then says so. */
function maybeTls(error: unknown): unknown {
  if (!(error instanceof ServalError) || error.code !== "websocket.closed") return error;
  const { code, condition, message } = error;
  return new ServalError(code, condition, `${message}: if its port speaks TLS, the URL begins with wss:`);
}

/** The refusal by a redirect that is not followed; its message names the option that follows it. Any other stays as it is. */
function withAdvice(error: ServalError, response: ResponseLike): ServalError {
  if (!isRedirect(response)) return error;
  const message = `${error.message}; the option redirects follows it, as in { redirects: 5 }`;
  return new ServalError(error.code, error.condition, message, { response });
}

async function open<Data>(
  { endpoint, headers, protocols, tls, isElsewhere }: Destination,
  settings: ConnectSettings<Data>,
  signal: AbortSignal,
): Promise<Stream<Data>> {
  const { proxy, proxyTls, family } = settings;
  const stream = isElsewhere ? settings.elsewhere : settings.stream;
  const { clock, maxHeaderSize, maxHeadersCount } = stream;
  const timeout = stream.timeouts.client.handshake;
  const limits = { signal, clock, maxHeaderSize, maxHeadersCount };
  const next = await dial(endpoint, { proxy, proxyTls, tls, family, timeout, ...limits });
  const ws = new Stream<Data>(next, stream);
  try {
    await ws.handshake(endpoint.authority, endpoint.target, {
      protocols,
      headers: withCredentials(headers, endpoint),
      signal,
    });
  } catch (error) {
    // The handshake refuses misuse without closing the stream.
    ws.terminate();
    throw endpoint.isSecure ? error : maybeTls(error);
  }
  return ws;
}

/**
 * The headers of a request to an endpoint, with the URL's user and password as Authorization unless the caller has set
 * it.
 */
function withCredentials(headers: Fields, { credentials }: Endpoint): Fields {
  if (credentials === undefined || headers.has("Authorization")) return headers;
  const all = new Fields(headers);
  all.append("Authorization", basic(credentials));
  return all;
}
