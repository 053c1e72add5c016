import {
  checkBoolean,
  checkNumber,
  checkOptions,
  checkSignal,
  invalidArgument,
  isPlainObject,
  type OptionSet,
  optionSet,
  show,
} from "../core/internal.ts";
import { Fields, type FieldsInit, type Request } from "../http/index.ts";
import type * as net from "../net/index.ts";
import { checkTlsValues, wantedTransport } from "../net/internal.ts";
import type { Stream, StreamOptions } from "../websocket/index.ts";
import { checkHeaders, checkProtocols, protocolList, Settings, streamOptionNames } from "../websocket/internal.ts";
import { parseProxy, type Proxy } from "./proxy.ts";
import { parseUrl, withHost } from "./url.ts";

/** The client's TLS options, as in `node:tls`. The application protocol is always HTTP/1.1. */
export interface TlsOptions extends Omit<net.TlsOptions, "ALPNProtocols"> {}

/** Options of `connect`, besides those of the `Stream` that it makes. */
export interface ConnectOptions<Data = unknown> extends Omit<StreamOptions<Data>, "upgrade" | "peer"> {
  /** The subprotocols to offer, in order of preference. Default none. */
  protocols?: string | readonly string[] | undefined;
  /** More headers for the request: Origin, Cookie, Authorization and the like. */
  headers?: FieldsInit | undefined;
  /**
   * Adds headers to the request, such as a fresh token, after all others. Called for each attempt, and for each
   * redirect within the origin. Changing headers of the handshake fails with `websocket.bad_upgrade_result`.
   */
  decorate?(request: Request): void;
  /**
   * Another Host than the URL's, for a virtual host at an address, a tunnel or a Unix socket: `"example.com"`, with a port
   * if Host is to have one. With TLS, the server's certificate must be for this name, which the client asks for, unless
   * `tls.servername` says otherwise. Default: the URL's; `localhost` for a Unix socket.
   */
  host?: string | undefined;
  /** TLS options for the server, for `wss:`. */
  tls?: TlsOptions | undefined;
  /** Aborts the attempt with `core.aborted`, at any step; it has no effect on an open stream. */
  signal?: AbortSignal | undefined;
  /**
   * The URL of a proxy: `http:` or `https:` (CONNECT), `socks5:` (names are looked up here) or `socks5h:` (names are
   * looked up by the proxy), with user and password if the proxy requires them. Or "environment": the proxy named by
   * `WSS_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` for `wss:`, by `WS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` for `ws:`, unless
   * `NO_PROXY` has the host. Default none; Unix sockets never use one. SOCKS needs the package `socks`, the environment
   * `proxy-from-env`: install them.
   */
  proxy?: string | URL | undefined;
  /** TLS options for a proxy whose URL begins with `https:`. */
  proxyTls?: TlsOptions | undefined;
  /**
   * How many redirects (301, 302, 303, 307, 308) are followed in a row, within the origin; or {@link RedirectOptions},
   * to follow them to other origins too. Default 0.
   */
  redirects?: number | RedirectOptions | undefined;
  /** Uses only the host's IPv4 or only its IPv6 addresses. Default: both, in Node's order. */
  family?: 4 | 6 | undefined;
  /**
   * What drives the connection: `"handle"`, the handle below Node's socket, or `"socket"`, Node's socket, which TLS always
   * has. Default: the environment variable `SERVAL_TRANSPORT`, or else `"handle"` on Linux and `"socket"` elsewhere. See
   * the option of the same name of `net.connect`.
   */
  transport?: net.Transport | undefined;
}

/** How redirects are followed. */
export interface RedirectOptions {
  /** How many are followed in a row; Infinity for no limit besides the deadline. */
  most: number;
  /**
   * Whether one to another origin is followed: another scheme, host or port, except from `ws:` to `wss:` of the same
   * host, both at their default ports. It is then followed without credentials in any form: without the URL's user and
   * password, subprotocols, client certificate and `decorate`, and of `headers` with Accept-Encoding, Accept-Language,
   * Cache-Control, Origin, Pragma and User-Agent only. Otherwise it fails with `client.cross_origin_redirect`. Never
   * followed is one from `wss:` to `ws:`. Default false.
   */
  crossOrigin?: boolean | undefined;
}

/** {@link RedirectOptions}, checked. */
export interface Redirects {
  readonly most: number;
  readonly crossOrigin: boolean;
}

/** The options of {@link TlsOptions}; Node would silently ignore a misspelt one. */
const tlsNames: Readonly<Record<keyof TlsOptions, true>> = {
  ca: true,
  cert: true,
  checkServerIdentity: true,
  ciphers: true,
  key: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  pfx: true,
  rejectUnauthorized: true,
  servername: true,
};

const redirectOptions = optionSet("redirects", ["most", "crossOrigin"], "{ most: 5, crossOrigin: true }");

const tlsOptions = optionSet("tls", Object.keys(tlsNames), "{ ca }");

/** The options of `connect`. */
export const connectOptions: OptionSet = optionSet(
  "connect",
  [
    "protocols",
    "headers",
    "host",
    "signal",
    "tls",
    "proxy",
    "proxyTls",
    "redirects",
    "family",
    "transport",
    ...streamOptionNames.filter((name) => name !== "upgrade"),
  ],
  '{ protocols: ["chat"] }',
);

/** Checked options with defaults filled in; made once for all attempts of `connect.forever`. */
export class ConnectSettings<Data> {
  readonly stream: Settings<Stream<Data>, Data>;
  /** The same without the hook `decorate`, for the other origins that a redirect may lead to. */
  readonly elsewhere: Settings<Stream<Data>, Data>;
  readonly protocols: readonly string[];
  readonly headers: Fields;
  readonly host: string | undefined;
  readonly tls: TlsOptions;
  readonly proxyTls: TlsOptions;
  readonly proxy: Proxy | "environment" | undefined;
  readonly redirects: Redirects;
  readonly family: 4 | 6 | undefined;
  readonly transport: net.Transport;
  readonly signal: AbortSignal | undefined;

  /**
   * Throws `core.invalid_argument`, naming the option, for an invalid value; `client.bad_proxy`; and the errors of the
   * headers.
   */
  constructor(options: ConnectOptions<Data>) {
    checkOptions(connectOptions, options);
    const { protocols, headers, host, tls, signal, proxy, proxyTls, redirects, family, transport, ...stream } = options;
    this.stream = new Settings<Stream<Data>, Data>(stream);
    const { decorate, ...undecorated } = stream;
    this.elsewhere = decorate === undefined ? this.stream : new Settings<Stream<Data>, Data>(undecorated);
    this.protocols = protocolList(protocols);
    checkProtocols(this.protocols);
    this.headers = headers === undefined ? noFields : checkedHeaders(headers);
    if (host !== undefined) withHost(parseUrl("ws://localhost"), host);
    this.host = host;
    this.tls = checkTls("tls", tls);
    this.proxyTls = checkTls("proxyTls", proxyTls);
    this.proxy = proxy === undefined || proxy === "environment" ? proxy : parseProxy(proxy);
    this.redirects = checkRedirects(redirects);
    if (family !== undefined && family !== 4 && family !== 6) throw invalidArgument("family must be 4 or 6");
    this.family = family;
    this.transport = wantedTransport(transport);
    this.signal = checkSignal(signal);
  }
}

const noFields = new Fields();

/** The caller's headers, in an object that does not change. */
function checkedHeaders(given: FieldsInit): Fields {
  const headers = new Fields(given);
  checkHeaders(headers);
  if (!headers.has("Proxy-Authorization")) return headers;
  throw invalidArgument("Proxy-Authorization would be sent to the server: put user and password into the proxy's URL");
}

const noRedirects: Redirects = { most: 0, crossOrigin: false };

function checkRedirects(given: number | RedirectOptions | undefined): Redirects {
  if (given === undefined) return noRedirects;
  if (typeof given === "number") {
    return { most: checkNumber("redirects", given, 0, { isWhole: true }), crossOrigin: false };
  }
  if (!isPlainObject(given)) {
    throw invalidArgument(`redirects must be a whole number or ${redirectOptions.example}, not ${show(given)}`);
  }
  checkOptions(redirectOptions, given);
  const { most, crossOrigin } = given;
  if (most === undefined) throw invalidArgument("redirects.most must be a whole number, not undefined");
  return {
    most: checkNumber("redirects.most", most, 0, { isWhole: true }),
    crossOrigin: checkBoolean("redirects.crossOrigin", crossOrigin, false),
  };
}

const noTls: TlsOptions = {};

function checkTls(option: string, given: TlsOptions | undefined): TlsOptions {
  if (given === undefined) return noTls;
  checkOptions(tlsOptions, given, option);
  checkTlsValues(given);
  return { ...given };
}
