import { ServalError, type ResponseLike } from "../core/index.ts";
import { Fields } from "../http/index.ts";
import { isRedirect } from "../http/internal.ts";
import { Stream } from "../websocket/index.ts";
import { dial } from "./dial.ts";
import { clientError } from "./errors.ts";
import { Limit } from "./limit.ts";
import type { ConnectSettings, Redirects } from "./options.ts";
import { redirected, type Destination } from "./redirect.ts";
import { basic, placeOf, withHost, type Endpoint } from "./url.ts";

/** One attempt to open a WebSocket: its steps and those of all redirects, under one deadline. */
export async function attempt<Data>(endpoint: Endpoint, settings: ConnectSettings<Data>): Promise<Stream<Data>> {
  const { stream, headers, host, protocols, tls } = settings;
  const asked = host === undefined ? endpoint : withHost(endpoint, host);
  let destination: Destination = { endpoint: asked, headers, protocols, tls, isElsewhere: false };
  const what = `Connecting to ${placeOf(endpoint)}`;
  const limit = new Limit(stream.timeouts.client.handshake, stream.clock, what, settings.signal);
  try {
    for (let left = settings.redirects.most; ; left--) {
      try {
        return await open(destination, settings, limit);
      } catch (error) {
        destination = follow(destination, error, left, settings.redirects);
      }
    }
  } catch (failure) {
    throw limit.errorOf(failure);
  } finally {
    limit.release();
  }
}

/** Where the response that an attempt failed with redirects to, and `left` redirects may lead; throws any other error. */
function follow(from: Destination, error: unknown, left: number, { most, crossOrigin }: Redirects): Destination {
  // Only the server's own response may redirect; a proxy can refuse, but not redirect.
  const isDeclined = error instanceof ServalError && error.code === "websocket.upgrade_declined";
  if (!isDeclined || error.response === undefined) throw error;
  if (most === 0) throw withAdvice(error, error.response);
  const next = redirected(from, error.response, crossOrigin);
  if (next === undefined) throw error;
  if (left === 0) throw clientError("client.too_many_redirects", { cause: error, response: error.response });
  return next;
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
  signal: Limit,
): Promise<Stream<Data>> {
  const { proxy, proxyTls, family, transport } = settings;
  const stream = isElsewhere ? settings.elsewhere : settings.stream;
  const { clock, maxHeaderSize, maxHeadersCount } = stream;
  const timeout = stream.timeouts.client.handshake;
  const options = { proxy, proxyTls, tls, family, transport, timeout, signal, clock, maxHeaderSize, maxHeadersCount };
  const ws = new Stream<Data>(await dial(endpoint, options), stream);
  try {
    await ws.handshakeWithin(signal, {
      host: endpoint.authority,
      target: endpoint.target,
      protocols,
      headers: withCredentials(headers, endpoint),
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
