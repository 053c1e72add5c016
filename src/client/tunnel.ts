import { FlatBuffer, PrefixedStream, type ByteStream, type ServalError } from "../core/index.ts";
import { FinalResponseParser, readResponse, Request, write, type Response } from "../http/index.ts";
import { clientError } from "./errors.ts";
import type { Proxy } from "./proxy.ts";
import { basic, hostAndPort, type Endpoint } from "./url.ts";

/**
 * Asks an HTTP proxy for a tunnel to an endpoint (RFC 9110 section 9.3.6), on a stream connected to the proxy. Any 2xx
 * opens the tunnel; bytes after its head belong to the tunnel. Any other response closes the stream and throws
 * `client.proxy_refused` with the response. Also throws the errors of reading a response, and `core.aborted`.
 */
export async function openTunnel(
  stream: ByteStream,
  { host, port }: Endpoint,
  proxy: Proxy,
  signal: AbortSignal,
): Promise<ByteStream> {
  const authority = hostAndPort(host, port);
  const request = new Request({ method: "CONNECT", target: authority, headers: { Host: authority } });
  if (proxy.credentials !== undefined) request.headers.append("Proxy-Authorization", basic(proxy.credentials));
  const buffer = new FlatBuffer();
  const parser = new FinalResponseParser({ method: "CONNECT" });
  try {
    await write(stream, request, { signal });
    await readResponse(stream, buffer, parser, { signal });
  } catch (error) {
    stream.close();
    // After the head of a refusal, a failure to read its body changes nothing.
    throw parser.response === undefined ? error : refused(parser.response, proxy);
  }
  const response = parser.response!;
  if (response.status >= 200 && response.status < 300) {
    return buffer.size === 0 ? stream : new PrefixedStream(stream, buffer.data());
  }
  stream.close();
  throw refused(response, proxy);
}

function refused(response: Response, proxy: Proxy): ServalError {
  const { status, reason } = response;
  const place = hostAndPort(proxy.host, proxy.port);
  const advice = status === 407 ? ". A user and password go into the proxy's URL" : "";
  const message = `The proxy ${place} refused the connection: ${`${status} ${reason}`.trimEnd()}${advice}`;
  return clientError("client.proxy_refused", { response, message });
}
