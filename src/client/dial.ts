import type { ByteStream } from "../core/index.ts";
import { connect, connectTls, startTls, type TlsOptions as NetTlsOptions } from "../net/index.ts";
import type { TlsOptions } from "./options.ts";
import { loadSocks } from "./packages.ts";
import { proxyFromEnvironment, type Proxy } from "./proxy.ts";
import { openSocks, socksDestination } from "./socks.ts";
import { openTunnel, type TunnelLimits } from "./tunnel.ts";
import { serverName, type Endpoint } from "./url.ts";

/** Options of {@link dial}. */
export interface DialOptions extends TunnelLimits {
  readonly proxy: Proxy | "environment" | undefined;
  readonly proxyTls: TlsOptions;
  readonly tls: TlsOptions;
  readonly family: 4 | 6 | undefined;
  /** The deadline for all of it, in milliseconds; the signal aborts at it. */
  readonly timeout: number;
}

/** Connects to an endpoint, through a proxy and with TLS if needed. After a failure nothing stays open. */
export async function dial(endpoint: Endpoint, options: DialOptions): Promise<ByteStream> {
  const { host, port, unix, isSecure } = endpoint;
  const { family, signal } = options;
  const tls = tlsOptions(options.tls, signal);
  const proxy = options.proxy === "environment" ? await proxyFromEnvironment(endpoint) : options.proxy;
  const name = serverName(endpoint);
  if (isSecure && unix === undefined && proxy === undefined && name === host) {
    return connectTls({ host, port, family }, tls);
  }
  const stream = await dialPlain(endpoint, proxy, options);
  return isSecure ? startTls(stream, name, tls) : stream;
}

function dialPlain(endpoint: Endpoint, proxy: Proxy | undefined, options: DialOptions): Promise<ByteStream> {
  const { host, port, unix } = endpoint;
  const { family, signal } = options;
  if (unix !== undefined) return connect({ unix }, { signal });
  return proxy === undefined ? connect({ host, port, family }, { signal }) : throughProxy(endpoint, proxy, options);
}

async function throughProxy(endpoint: Endpoint, proxy: Proxy, options: DialOptions): Promise<ByteStream> {
  const { family, signal } = options;
  const { scheme, host, port } = proxy;
  const place = { host, port, family };
  if (scheme === "http") return openTunnel(await connect(place, { signal }), endpoint, proxy, options);
  if (scheme === "https") {
    return openTunnel(await connectTls(place, tlsOptions(options.proxyTls, signal)), endpoint, proxy, options);
  }
  const socks = await loadSocks();
  const destination = await socksDestination(endpoint, proxy, family, signal);
  return openSocks(socks, await connect(place, { signal }), destination, proxy, options);
}

function tlsOptions(options: TlsOptions, signal: AbortSignal): NetTlsOptions & { signal: AbortSignal } {
  return { ...options, ALPNProtocols: ["http/1.1"], signal };
}
