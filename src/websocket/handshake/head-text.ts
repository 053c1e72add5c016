import { encodeLatin1 } from "../../core/internal.ts";
import { RequestParser, ResponseParser, type Request, type Response } from "../../http/index.ts";

// Keeping a message as the text of its head takes a fifth of the memory, for those that are hardly used again.

/** The text of a message's head, if its headers are unchanged since parsing and it has no body. */
export function headOf({ body, headers }: Request | Response): string | undefined {
  return body instanceof Uint8Array && body.length === 0 ? headers.head : undefined;
}

const limits = { maxHeaderSize: Infinity, maxHeadersCount: Infinity };

/** The request from a head's text returned by {@link headOf}. */
export function requestOf(head: string): Request {
  const parser = new RequestParser(limits);
  parser.put(encodeLatin1(head));
  return parser.request!;
}

/** The response from a head's text returned by {@link headOf}. */
export function responseOf(head: string): Response {
  const parser = new ResponseParser(limits);
  parser.put(encodeLatin1(head));
  return parser.response!;
}
