import { FlatBuffer, PrefixedStream, ServalError, type ByteStream } from "../../core/index.ts";
import { FinalResponseParser, readResponse, Request, write } from "../../http/index.ts";
import { basic, hostAndPort, type Endpoint } from "../../client/internal.ts";

/** Asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6). Throws an error with the response if the proxy refuses. */
export async function openTunnel(
  stream: ByteStream,
  place: Endpoint,
  proxy: Endpoint,
  signal: AbortSignal,
): Promise<ByteStream> {
  const authority = hostAndPort(place.host, place.port);
  const request = new Request({ method: "CONNECT", target: authority, headers: { Host: authority } });
  if (proxy.credentials !== undefined) request.headers.append("Proxy-Authorization", basic(proxy.credentials));
  const buffer = new FlatBuffer();
  await write(stream, request, { signal });
  const response = await readResponse(stream, buffer, new FinalResponseParser({ method: "CONNECT" }), { signal });
  if (response.status >= 200 && response.status < 300) {
    return buffer.size === 0 ? stream : new PrefixedStream(stream, buffer.data());
  }
  const message = `The proxy refused: ${response.status} ${response.reason}`.trimEnd();
  throw new ServalError("client.proxy_refused", "handshake_failed", message, { response });
}
