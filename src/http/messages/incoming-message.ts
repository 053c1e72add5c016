import { emptyBody, type Body, type BodyStream } from "./body.ts";
import { Fields } from "./fields.ts";
import { isBodiless } from "./status.ts";

/** What is used of Node's `IncomingMessage`, the request of a server or the response to a client. */
export interface IncomingMessage {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly rawHeaders: string[];
  [Symbol.asyncIterator]?(): AsyncIterator<Uint8Array>;
  resume?(): unknown;
}

/** Its version, its headers, none of them merged or lost, and its body, if the headers say that it has one. */
export function partsOf(incoming: IncomingMessage): { version: number; headers: Fields; body: Body } {
  const headers = Fields.fromRaw(incoming.rawHeaders);
  const framed = headers.has("Transfer-Encoding") || (headers.first("Content-Length") ?? "0") !== "0";
  const status = incoming.statusCode ?? undefined;
  // The body of a response may have no length: it ends with the stream.
  const carries = status === undefined ? framed : !isBodiless(status);
  // Without a body, it has to be read all the same before it ends and its connection is free. What follows a 101 is not ours.
  if (status !== undefined && status >= 200 && !carries) incoming.resume?.();
  const isStream = typeof incoming[Symbol.asyncIterator] === "function";
  return {
    version: incoming.httpVersionMajor * 10 + incoming.httpVersionMinor,
    headers,
    body: carries && isStream ? (incoming as BodyStream) : emptyBody,
  };
}
