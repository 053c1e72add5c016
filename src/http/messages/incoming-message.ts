import { emptyBody, type Body, type BodyStream } from "./body.ts";
import { Fields } from "./fields.ts";
import { isBodiless } from "./status.ts";

/** The part of Node's `IncomingMessage` that is used, for a server's request or a client's response. */
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

/** The version, all headers unmerged, and the body, if the headers announce one. */
export function partsOf(incoming: IncomingMessage): { version: number; headers: Fields; body: Body } {
  const headers = Fields.fromRaw(incoming.rawHeaders);
  const framed = headers.has("Transfer-Encoding") || (headers.first("Content-Length") ?? "0") !== "0";
  const status = incoming.statusCode ?? undefined;
  // The body of a response may have no length: then it ends with the stream.
  const carries = status === undefined ? framed : !isBodiless(status);
  // Even without a body the message must be read before it ends and its connection is free. Bytes after a 101 are not
  // the message's.
  if (status !== undefined && status >= 200 && !carries) incoming.resume?.();
  const isStream = typeof incoming[Symbol.asyncIterator] === "function";
  return {
    version: incoming.httpVersionMajor * 10 + incoming.httpVersionMinor,
    headers,
    body: carries && isStream ? (incoming as BodyStream) : emptyBody,
  };
}
