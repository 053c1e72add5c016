import { FlatBuffer, PrefixedStream, ServalError, type ByteStream } from "../../core/index.ts";
import { FinalResponseParser, readResponse, Request, write } from "../../http/index.ts";
import { hostAndPort, type Place } from "../shared/place.ts";

/** Asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6). Throws its refusal with the response. */
export async function openTunnel(
  stream: ByteStream,
  place: Place,
  proxy: Place,
  signal: AbortSignal,
): Promise<ByteStream> {
  const authority = hostAndPort(place);
  const request = new Request({ method: "CONNECT", target: authority, headers: { Host: authority } });
  if (proxy.authorization !== undefined) request.headers.append("Proxy-Authorization", proxy.authorization);
  const buffer = new FlatBuffer();
  await write(stream, request, { signal });
  const response = await readResponse(stream, buffer, new FinalResponseParser({ method: "CONNECT" }), { signal });
  if (response.status >= 200 && response.status < 300) {
    return buffer.size === 0 ? stream : new PrefixedStream(stream, buffer.data());
  }
  const message = `The proxy refused: ${response.status} ${response.reason}`.trimEnd();
  throw new ServalError("client.proxy_refused", "handshake_failed", message, { response });
}
