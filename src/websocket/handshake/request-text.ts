import { encodeLatin1 } from "../../core/internal.ts";
import { RequestParser, type Request } from "../../http/index.ts";

// A request that hardly anybody will look at again takes a fifth of the memory as the text that it was parsed from.

/** The text of a request's head, if its headers are as a parser found them, and it has no body. */
export function headOf(request: Request): string | undefined {
  const { body } = request;
  return body instanceof Uint8Array && body.length === 0 ? request.headers.head : undefined;
}

/** The request of a head's text, as {@link headOf} gave it. */
export function requestOf(head: string): Request {
  const parser = new RequestParser({ maxHeaderSize: Infinity, maxHeadersCount: Infinity });
  parser.put(encodeLatin1(head));
  return parser.request!;
}
