import { emptyBody, type Body, type BodyStream } from "./body.ts";
import { Fields } from "./fields.ts";

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
}

/** What its fields are from, so that none is merged or lost, and its body, if its fields say that it has one. */
export function partsOf(incoming: IncomingMessage): { version: number; fields: Fields; body: Body } {
  const fields = Fields.fromRaw(incoming.rawHeaders);
  const framed = fields.has("Transfer-Encoding") || (fields.get("Content-Length") ?? "0") !== "0";
  // The body of a response may have no length: it ends with the stream.
  const carries = framed || (incoming.statusCode ?? null) !== null;
  const isStream = typeof incoming[Symbol.asyncIterator] === "function";
  return {
    version: incoming.httpVersionMajor * 10 + incoming.httpVersionMinor,
    fields,
    body: carries && isStream ? (incoming as BodyStream) : emptyBody,
  };
}
