import type { BufferSource } from "../../core/index.ts";
import { toBody, type Body, type BodyInit } from "./body.ts";
import { checkInit, responseInit } from "./check-init.ts";
import { httpError } from "./errors.ts";
import { responseFromFetch, responseToFetch, type FetchResponse } from "./fetch.ts";
import { Fields, type FieldsInit } from "./fields.ts";
import { responseDeparture, type Departure } from "./framing.ts";
import { isValue } from "./grammar.ts";
import { partsOf, type IncomingMessage } from "./incoming-message.ts";
import { Message } from "./message.ts";
import { isBodiless, isStatus, reasonPhrase } from "./status.ts";

/** What a {@link Response} is made from. */
export interface ResponseInit<Content extends Body = Uint8Array> {
  /** The status, 100 to 999. Default 200. */
  status?: number;
  /** The reason phrase. Default the one that goes with the status. */
  reason?: string;
  /** Ten times the major version and the minor one. Default 11. */
  version?: number;
  /** The headers; they are copied. Default none. */
  headers?: FieldsInit;
  /**
   * The body, see {@link BodyInit}; text is sent as UTF-8. Unless one is given, the Content-Type of text is
   * `text/plain; charset=utf-8`, and that of a `Blob` its type. Default empty.
   */
  body?: BodyInit | Content | undefined;
}

/**
 * An HTTP response. It is sent as HTTP/1.1; its `version` is the one that it was received with (RFC 9112 2.3).
 */
export class Response<Content extends Body = Uint8Array> extends Message<Content> {
  /** The status: 200. */
  readonly status: number;
  /** The reason phrase: `OK`. It may be empty. */
  readonly reason: string;

  /**
   * Throws `http.bad_status`, `http.bad_reason`, for headers as {@link Fields.append} does, and `core.invalid_argument`
   * for a body that is none, or a name that does not exist.
   */
  constructor(init?: Omit<ResponseInit, "body"> & { body?: string | BufferSource | undefined });
  constructor(init: ResponseInit<Content>);
  constructor(init: ResponseInit<Content> = {}) {
    checkInit(responseInit, init);
    super(init.version ?? 11, new Fields(init.headers), toBody(init.body) as Content);
    this.status = init.status ?? 200;
    if (!isStatus(this.status)) throw httpError("http.bad_status");
    this.reason = init.reason ?? reasonPhrase(this.status);
    if (!isValue(this.reason)) throw httpError("http.bad_reason");
    const type = typeOf(init.body);
    if (type !== "" && !this.headers.has("Content-Type")) this.headers.append("Content-Type", type);
  }

  /**
   * The same response as one of fetch's, or as one that a `node:http` client received; its body is theirs, read as it is
   * asked for. Of fetch's, Content-Length and Transfer-Encoding are left out: they told how the body came, and the
   * serializer says how it goes.
   */
  static from(response: FetchResponse | IncomingMessage): Response<Body> {
    if (!("rawHeaders" in response)) return new Response<Body>(responseFromFetch(response));
    const { statusCode: status = 200, statusMessage: reason = reasonPhrase(status) } = response;
    return new Response<Body>({ status, reason, ...partsOf(response) });
  }

  /** The same response as one of fetch's. Throws `core.invalid_argument` for a status that fetch has not: below 200, above 599. */
  toFetch(): globalThis.Response {
    return responseToFetch(this.status, this.reason, this);
  }

  /**
   * Whether the body ends with the connection, since the headers don't say where it does, and the status lets it have one
   * (RFC 9112 6.3).
   */
  get needsEof(): boolean {
    return !isBodiless(this.status) && !this.chunked && !this.headers.has("Content-Length");
  }

  protected override departure(): Departure {
    return responseDeparture(this.status, this, { method: "GET", version: this.version });
  }
}

/** The Content-Type that a body brings with it; empty if none. */
function typeOf(body: unknown): string {
  if (typeof body === "string") return "text/plain; charset=utf-8";
  return body instanceof Blob ? body.type : "";
}
