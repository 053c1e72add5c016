import {
  checkNumber,
  checkOptions,
  checkSignal,
  invalidArgument,
  type OptionSet,
  optionSet,
} from "../core/internal.ts";
import { Fields, type FieldsInit, type Request } from "../http/index.ts";
import type * as net from "../net/index.ts";
import type { Stream, StreamOptions } from "../websocket/index.ts";
import { protocolList, Settings, streamOptionNames } from "../websocket/internal.ts";
import { parseProxy, type Proxy } from "./proxy.ts";

/**
 * How the client's side of TLS is done: the options of `node:tls` of these names. The application protocol is HTTP/1.1.
 */
export interface TlsOptions extends Omit<net.TlsOptions, "ALPNProtocols"> {}

/** Options of `connect`, besides those of the `Stream` that it makes. */
export interface ConnectOptions<Data = unknown> extends Omit<StreamOptions<Data>, "upgrade" | "peer"> {
  /** The subprotocols to offer, the preferred one first. Default none. */
  protocols?: string | readonly string[] | undefined;
  /** More headers for the request: Origin, Cookie, Authorization and the like. */
  headers?: FieldsInit | undefined;
  /**
   * Adds headers to the request, last of all, such as a token that is made anew: called for each attempt and each
   * redirect, whose host is that of the request. What it changes of the handshake's own is
   * `websocket.bad_upgrade_result`.
   */
  decorate?(request: Request): void;
  /** How TLS is done with the server, where the URL says `wss:`. */
  tls?: TlsOptions | undefined;
  /** Gives the attempt up with `core.aborted`, at any step; no effect on the stream once that is open. */
  signal?: AbortSignal | undefined;
  /**
   * The URL of a proxy to connect through: `http:` or `https:` (CONNECT), `socks5:` (names are looked up here) or
   * `socks5h:` (names are looked up by the proxy), with user and password where it wants them. Or "environment": the one
   * that `WSS_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` name for `wss:`, `WS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` for `ws:`, unless
   * `NO_PROXY` has the host. Default none; and none for a Unix socket. SOCKS needs the package `socks`, the environment
   * `proxy-from-env`: install them.
   */
  proxy?: string | URL | undefined;
  /** How TLS is done with a proxy whose URL says `https:`. */
  proxyTls?: TlsOptions | undefined;
  /**
   * How many redirects are followed, one after the other: 301, 302, 303, 307, 308. Another origin is told neither the
   * URL's user and password nor Authorization and Cookie, and shown no client certificate. Default 0.
   */
  redirects?: number | undefined;
  /** Takes only IPv4 or IPv6 addresses of the host. Default both, as Node.js tries them. */
  family?: 4 | 6 | undefined;
}

/** The options of {@link TlsOptions}; a misspelt one would be ignored in silence. */
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

const tlsOptions = optionSet("tls", Object.keys(tlsNames), "{ ca }");

/** The options of `connect`. */
export const connectOptions: OptionSet = optionSet(
  "connect",
  [
    "protocols",
    "headers",
    "signal",
    "tls",
    "proxy",
    "proxyTls",
    "redirects",
    "family",
    ...streamOptionNames.filter((name) => name !== "upgrade"),
  ],
  '{ protocols: ["chat"] }',
);

/** Options with the defaults filled in, checked; made once for all the attempts of `connect.forever`. */
export class ConnectSettings<Data> {
  readonly stream: Settings<Stream<Data>, Data>;
  readonly protocols: readonly string[];
  readonly headers: Fields;
  readonly tls: TlsOptions;
  readonly proxyTls: TlsOptions;
  readonly proxy: Proxy | "environment" | undefined;
  readonly redirects: number;
  readonly family: 4 | 6 | undefined;
  readonly signal: AbortSignal | undefined;

  /** Throws `core.invalid_argument`, naming the option, for a value that can't be meant; `client.bad_proxy`; the headers' own errors. */
  constructor(options: ConnectOptions<Data>) {
    checkOptions(connectOptions, options);
    const { protocols, headers, tls, signal, proxy, proxyTls, redirects, family, ...stream } = options;
    this.stream = new Settings<Stream<Data>, Data>(stream);
    this.protocols = protocolList(protocols);
    this.headers = new Fields(headers);
    if (this.headers.has("Proxy-Authorization")) {
      throw invalidArgument("Proxy-Authorization would go to the server: put user and password into the proxy's URL");
    }
    this.tls = checkTls("tls", tls);
    this.proxyTls = checkTls("proxyTls", proxyTls);
    this.proxy = proxy === undefined || proxy === "environment" ? proxy : parseProxy(proxy);
    this.redirects = checkNumber("redirects", redirects, 0, { isWhole: true });
    if (family !== undefined && family !== 4 && family !== 6) throw invalidArgument("family must be 4 or 6");
    this.family = family;
    this.signal = checkSignal(signal);
  }
}

function checkTls(option: string, given: TlsOptions = {}): TlsOptions {
  checkOptions(tlsOptions, given, option);
  return { ...given };
}
