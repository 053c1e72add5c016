import { encodeLatin1 } from "../../core/internal.ts";
import { RequestParser, type Request } from "../../http/index.ts";

// Keeping a request as its text takes a fifth of the memory, for requests that are hardly used again.

/** The text of a request's head, if its headers are unchanged since parsing and it has no body. */
export function headOf(request: Request): string | undefined {
  const { body } = request;
  return body instanceof Uint8Array && body.length === 0 ? request.headers.head : undefined;
}

/** The request from a head's text returned by {@link headOf}. */
export function requestOf(head: string): Request {
  const parser = new RequestParser({ maxHeaderSize: Infinity, maxHeadersCount: Infinity });
  parser.put(encodeLatin1(head));
  return parser.request!;
}
