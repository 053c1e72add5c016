import type { ByteStream } from "../core/index.ts";
import { connect, connectTls, startTls, type TlsOptions as NetTlsOptions } from "../net/index.ts";
import type { TlsOptions } from "./options.ts";
import { loadSocks } from "./packages.ts";
import { proxyFromEnvironment, type Proxy } from "./proxy.ts";
import { openSocks, socksDestination } from "./socks.ts";
import { openTunnel, type TunnelLimits } from "./tunnel.ts";
import type { Endpoint } from "./url.ts";

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
  if (unix !== undefined) return connect({ unix }, { signal });
  if (proxy === undefined) {
    return isSecure ? connectTls({ host, port, family }, tls) : connect({ host, port, family }, { signal });
  }
  const stream = await throughProxy(endpoint, proxy, options);
  return isSecure ? startTls(stream, host, tls) : stream;
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
