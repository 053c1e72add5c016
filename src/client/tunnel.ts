import { FlatBuffer, PrefixedStream, type ByteStream, type Clock, type ServalError } from "../core/index.ts";
import { FinalResponseParser, readResponse, Request, write } from "../http/index.ts";
import { readRefusal, statusText } from "../http/internal.ts";
import { clientError } from "./errors.ts";
import type { Proxy } from "./proxy.ts";
import { basic, hostAndPort, type Endpoint } from "./url.ts";

/** The limits of {@link openTunnel}. */
export interface TunnelLimits {
  readonly signal: AbortSignal;
  /** The source of the time that a refusal's body gets. */
  readonly clock: Clock;
  /** The largest head of the response, in bytes, and its most headers. */
  readonly maxHeaderSize: number;
  readonly maxHeadersCount: number;
}

/**
 * Asks an HTTP proxy for a tunnel to an endpoint (RFC 9110 section 9.3.6), on a stream connected to the proxy. Any 2xx
 * opens the tunnel; bytes after its head belong to the tunnel. Any other response closes the stream and throws
 * `client.proxy_refused` with the response. Also throws the errors of reading a response, and `core.aborted`.
 */
export async function openTunnel(
  stream: ByteStream,
  { host, port }: Endpoint,
  proxy: Pick<Proxy, "host" | "port" | "credentials">,
  { signal, clock, maxHeaderSize, maxHeadersCount }: TunnelLimits,
): Promise<ByteStream> {
  const authority = hostAndPort(host, port);
  const request = new Request({ method: "CONNECT", target: authority, headers: { Host: authority } });
  if (proxy.credentials !== undefined) request.headers.append("Proxy-Authorization", basic(proxy.credentials));
  const buffer = new FlatBuffer();
  const parser = new FinalResponseParser({ method: "CONNECT", maxHeaderSize, maxHeadersCount, maxBodySize: 0 });
  try {
    await write(stream, request, { signal });
    const { status } = await readResponse(stream, buffer, parser, { signal });
    if (status >= 200 && status < 300) {
      return buffer.size === 0 ? stream : new PrefixedStream(stream, buffer.data());
    }
    // The head decides; its body gets a short time.
    await new Promise<void>((resolve) => readRefusal(stream, buffer, parser, { signal, clock }, resolve));
  } catch (error) {
    if (parser.response === undefined) {
      stream.close();
      throw error;
    }
  }
  stream.close();
  throw refused(parser, proxy);
}

function refused({ response, isCut }: FinalResponseParser, proxy: Pick<Proxy, "host" | "port">): ServalError {
  const place = hostAndPort(proxy.host, proxy.port);
  const advice = response!.status === 407 ? ". A user and password go into the proxy's URL" : "";
  const message = `The proxy ${place} refused the connection: ${statusText(response!, isCut)}${advice}`;
  return clientError("client.proxy_refused", { response: response!, message });
}
