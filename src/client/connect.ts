import { handled } from "../core/internal.ts";
import type { Stream } from "../websocket/index.ts";
import { attempt } from "./attempt.ts";
import { forever, type ForeverOptions } from "./forever.ts";
import { ConnectSettings, type ConnectOptions } from "./options.ts";
import { parseUrl } from "./url.ts";

/** What `connect` is: a function, with another that stays connected. */
export interface Connect {
  /**
   * Opens a WebSocket: connects to where the URL leads, through the proxy and with TLS where these are wanted, and
   * performs the opening handshake; `timeouts.handshake` is the deadline for all of it. The URL begins with `ws:` or
   * `wss:` (`http:` and `https:` are the same), or is `ws+unix:/path/to.sock:/target`; its user and password become
   * Authorization, unless the option `headers` has one.
   *
   * Rejects, besides what `Stream.handshake` fails with (`websocket.upgrade_declined` has the server's response), with
   * `net.connection_refused`, `net.host_not_found`, `net.bad_certificate`, `net.tls_failed` and the like;
   * `client.proxy_refused`, with the proxy's response where it is an HTTP proxy; `client.too_many_redirects`,
   * `client.insecure_redirect`, `client.bad_redirect`; `core.timeout`, `core.aborted`. Misuse: `client.bad_url`,
   * `client.bad_proxy`, `client.missing_package`, `core.invalid_argument`. No error's message has the URL's target, user
   * or password in it. After an error nothing is left open.
   */
  <Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Stream<Data>>;

  /**
   * Stays connected: a loop over one open `Stream` after the other. When the loop asks for the next one, this waits for
   * the end of the one before, then for the option `backoff`, and connects again; an attempt that fails is
   * made again after a longer wait. The row of failures, by which the wait grows, ends with a connection that lived for
   * at least `backoff.max`.
   *
   * Leaving the loop closes the stream, and so does the `signal`, which ends the loop normally. It throws for misuse, and
   * for a failure after which the option `retry` returns false. A loop that waits inside `next` is ended by the signal
   * alone.
   *
   * Throws `client.bad_url`, `client.bad_proxy` and `core.invalid_argument` at once.
   */
  forever<Data = unknown>(url: string | URL, options?: ForeverOptions<Data>): AsyncGenerator<Stream<Data>, void, void>;
}

async function connectOnce<Data>(url: string | URL, options: ConnectOptions<Data> = {}): Promise<Stream<Data>> {
  return attempt(parseUrl(url), new ConnectSettings<Data>(options));
}

/** Opens a WebSocket as a client; see {@link Connect}. */
export const connect: Connect = Object.assign(
  <Data>(url: string | URL, options?: ConnectOptions<Data>) => handled(connectOnce(url, options)),
  { forever },
);
