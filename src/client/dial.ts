import type { ByteStream, Clock } from "../core/index.ts";
import { abortSignalOf, type Cancellation } from "../core/internal.ts";
import { connect, connectTls, startTls, type TlsOptions as NetTlsOptions, type Transport } from "../net/index.ts";
import { connectBy } from "../net/internal.ts";
import type { TlsOptions } from "./options.ts";
import { loadSocks } from "./packages.ts";
import { proxyFromEnvironment, type Proxy } from "./proxy.ts";
import { openSocks, socksDestination } from "./socks.ts";
import { openTunnel } from "./tunnel.ts";
import { serverName, type Endpoint } from "./url.ts";

/** Options of {@link dial}. */
export interface DialOptions {
  readonly proxy: Proxy | "environment" | undefined;
  readonly proxyTls: TlsOptions;
  readonly tls: TlsOptions;
  readonly family: 4 | 6 | undefined;
  readonly transport: Transport;
  readonly signal: Cancellation;
  /** The deadline for all of it, in milliseconds; the signal aborts at it. */
  readonly timeout: number;
  /** For the response of an HTTP proxy. */
  readonly clock: Clock;
  readonly maxHeaderSize: number;
  readonly maxHeadersCount: number;
}

/** Connects to an endpoint, through a proxy and with TLS if needed. After a failure nothing stays open. */
export function dial(endpoint: Endpoint, options: DialOptions): Promise<ByteStream> {
  if (endpoint.isSecure) return dialTls(endpoint, options);
  return options.proxy === undefined ? dialPlace(endpoint, options) : dialPlain(endpoint, options);
}

async function dialTls(endpoint: Endpoint, options: DialOptions): Promise<ByteStream> {
  const { host, port, unix } = endpoint;
  const proxy = await proxyOf(endpoint, options);
  const signal = abortSignalOf(options.signal);
  const tls = tlsOptions(options.tls, signal);
  const name = serverName(endpoint);
  if (unix === undefined && proxy === undefined && name === host) {
    return connectTls({ host, port, family: options.family }, tls);
  }
  return startTls(await dialPlain(endpoint, { ...options, proxy }), name, tls);
}

async function dialPlain(endpoint: Endpoint, options: DialOptions): Promise<ByteStream> {
  const proxy = await proxyOf(endpoint, options);
  if (proxy === undefined || endpoint.unix !== undefined) return dialPlace(endpoint, options);
  return throughProxy(endpoint, proxy, options);
}

function dialPlace({ host, port, unix }: Endpoint, options: DialOptions): Promise<ByteStream> {
  const { family, signal, transport } = options;
  return connectBy(undefined, unix === undefined ? { host, port, family } : { unix }, { signal, transport });
}

async function proxyOf(endpoint: Endpoint, { proxy }: DialOptions): Promise<Proxy | undefined> {
  return proxy === "environment" ? proxyFromEnvironment(endpoint) : proxy;
}

async function throughProxy(endpoint: Endpoint, proxy: Proxy, options: DialOptions): Promise<ByteStream> {
  const { family, transport, timeout, clock, maxHeaderSize, maxHeadersCount } = options;
  const signal = abortSignalOf(options.signal);
  const limits = { signal, timeout, clock, maxHeaderSize, maxHeadersCount };
  const { scheme, host, port } = proxy;
  const place = { host, port, family };
  if (scheme === "http") return openTunnel(await connect(place, { signal, transport }), endpoint, proxy, limits);
  if (scheme === "https") {
    return openTunnel(await connectTls(place, tlsOptions(options.proxyTls, signal)), endpoint, proxy, limits);
  }
  const socks = await loadSocks();
  const destination = await socksDestination(endpoint, proxy, family, signal);
  return openSocks(socks, await connect(place, { signal, transport }), destination, proxy, limits);
}

function tlsOptions(options: TlsOptions, signal: AbortSignal): NetTlsOptions & { signal: AbortSignal } {
  return { ...options, ALPNProtocols: ["http/1.1"], signal };
}
