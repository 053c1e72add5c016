import { handled } from "../core/internal.ts";
import type { Stream } from "../websocket/index.ts";
import { attempt } from "./attempt.ts";
import { forever, type ForeverOptions } from "./forever.ts";
import { ConnectSettings, type ConnectOptions } from "./options.ts";
import { parseUrl } from "./url.ts";

/** The type of `connect`: a function with the method `forever`, which stays connected. */
export interface Connect {
  /**
   * Opens a WebSocket: connects to the URL's host, through a proxy and with TLS if needed, and performs the opening
   * handshake. `timeouts.handshake` is the deadline for all of it. The URL begins with `ws:` or `wss:` (or `http:` or
   * `https:`, which mean the same), or is `ws+unix:/path/to.sock:/target`, `wss+unix:` with TLS. Its user and password
   * become Authorization, unless the option `headers` has one. A `server.url` of `serve` is such a URL.
   *
   * Rejects with the errors of `Stream.handshake` (`websocket.upgrade_declined` has the server's response); with
   * `net.connection_refused`, `net.host_not_found`, `net.bad_certificate`, `net.tls_failed` and the like; with
   * `client.proxy_refused`, which has the response of an HTTP proxy; with `client.too_many_redirects`,
   * `client.cross_origin_redirect`, `client.insecure_redirect`, `client.bad_redirect`; with `core.timeout`,
   * `core.aborted`. Misuse: `client.bad_url`, `client.bad_proxy`, `client.missing_package`, `net.path_too_long`,
   * `core.invalid_argument`. No error's message contains the URL's target, user or password. After an error nothing
   * stays open.
   */
  <Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Stream<Data>>;

  /**
   * Stays connected: an iterator of open `Stream`s, one after the other. When the loop asks for the next one, this
   * closes the previous one, unless it has ended; waits as the option `backoff` says, and at least as long as the
   * Retry-After of a 503 or 429 asks, but no longer than an hour; and connects again. So with a handler `message`, await
   * `ws.closed` inside the loop. After a failed attempt it waits longer and tries again. A connection that lived for at
   * least `backoff.max` ends the row of failures by which the wait grows. A server that is silent for 60,000 ms and
   * does not answer a ping counts as gone: see `timeouts`.
   *
   * Leaving the loop closes the stream. So does the `signal`, which ends the loop normally. In each case, and when the next
   * stream is asked for, the server has a second to answer the close. The loop throws misuse, and a failure for
   * which the option `retry` returns false. While the loop waits inside `next`, only the signal can end it.
   *
   * Throws `client.bad_url`, `client.bad_proxy` and `core.invalid_argument` at once.
   */
  forever<Data = unknown>(url: string | URL, options?: ForeverOptions<Data>): AsyncGenerator<Stream<Data>, void, void>;
}

function connectOnce<Data>(url: string | URL, options: ConnectOptions<Data> = {}): Promise<Stream<Data>> {
  try {
    return attempt(parseUrl(url), new ConnectSettings<Data>(options));
  } catch (misuse) {
    return Promise.reject(misuse);
  }
}

/** Opens a WebSocket as a client; see {@link Connect}. */
export const connect: Connect = Object.assign(
  <Data>(url: string | URL, options?: ConnectOptions<Data>) => handled(connectOnce(url, options)),
  { forever },
);
