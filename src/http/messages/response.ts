import type { BufferSource } from "../../core/index.ts";
import { show } from "../../core/internal.ts";
import { emptyBody, toBody, type Body, type BodyInit } from "./body.ts";
import { checkInit, noMessage, responseInit, wrongPart } from "./check-init.ts";
import { httpError } from "./errors.ts";
import { responseParts, responseToFetch, type FetchResponse } from "./fetch.ts";
import { Fields, type FieldsInit } from "./fields.ts";
import { responseDeparture, type Departure } from "./framing.ts";
import { isValue } from "./grammar.ts";
import { partsOf, type IncomingMessage } from "./incoming-message.ts";
import { Message } from "./message.ts";
import { isBodiless, isStatus, reasonPhrase } from "./status.ts";

/** The parts of a {@link Response}. */
export interface ResponseInit<Content extends Body = Uint8Array> {
  /** The status, 100 to 999. Default 200. */
  status?: number;
  /** The reason phrase. Default: the status's. */
  reason?: string;
  /** Ten times the major version plus the minor one. Default 11. */
  version?: number;
  /** The headers; they are copied. Default none. */
  headers?: FieldsInit;
  /**
   * The body, see {@link BodyInit}; text is sent as UTF-8. Without a Content-Type, text gets `text/plain;
   * charset=utf-8` and a `Blob` its type. Default empty.
   */
  body?: BodyInit | Content | undefined;
}

/** An HTTP response. It is sent as HTTP/1.1; its `version` is the one it was received with (RFC 9112 2.3). */
export class Response<Content extends Body = Uint8Array> extends Message<Content> {
  /** The status code: 200. */
  readonly status: number;
  /** The reason phrase: `OK`. It may be empty. */
  readonly reason: string;
  #isLast = false;

  /**
   * Throws `http.bad_status`, `http.bad_reason`, the errors of {@link Fields.append}, and `core.invalid_argument` for
   * an invalid body or an unknown name.
   */
  constructor(init?: Omit<ResponseInit, "body"> & { body?: string | BufferSource | undefined });
  constructor(init: ResponseInit<Content>);
  /** With a body as it is to be sent; the headers are not copied, and get no Content-Type. @internal */
  constructor(init: ResponseInit<Content>, headers: Fields);
  constructor(init: ResponseInit<Content> = {}, headers?: Fields) {
    const own = headers instanceof Fields ? headers : undefined;
    if (own === undefined) checkInit(responseInit, init, headers);
    const { status = 200, reason, version = 11, body } = init;
    if (typeof version !== "number") throw wrongPart("version", version);
    super(version, own ?? new Fields(init.headers), (own === undefined ? toBody(body) : body) as Content);
    this.status = status;
    if (!isStatus(this.status)) {
      const message = `The status must be a whole number from 100 to 999, not ${show(this.status)}`;
      throw httpError("http.bad_status", { message });
    }
    this.reason = reason ?? reasonPhrase(status);
    if (reason !== undefined && !isValue(reason)) throw httpError("http.bad_reason");
    if (own !== undefined || body === undefined || this.headers.has("Content-Type")) return;
    if (typeof body === "string") this.headers.add("Content-Type", "text/plain; charset=utf-8");
    else if (body instanceof Blob && body.type !== "") this.headers.append("Content-Type", body.type);
  }

  /**
   * A fetch response, or one that a `node:http` client received, as a `Response`; its body is read from there on
   * demand. From a fetch response, Transfer-Encoding is left out, since the serializer decides the framing;
   * Content-Length stays, and the body must have this length. It is left out if fetch has decoded the content
   * (Content-Encoding of a response that was received), and with a status that allows no body.
   */
  static from(response: FetchResponse | IncomingMessage): Response<Body> {
    const isMessage =
      typeof response === "object" && response !== null && ("headers" in response || "rawHeaders" in response);
    if (!isMessage) throw noMessage("http.Response.from", response);
    if (!("rawHeaders" in response)) {
      return responseFromFetch(response, response.body ?? emptyBody);
    }
    const { statusCode: status = 200, statusMessage: reason = reasonPhrase(status) } = response;
    return new Response<Body>({ status, reason, ...partsOf(response) });
  }

  /**
   * This response as a fetch response. Throws `core.invalid_argument` for a status that fetch does not allow: below 200
   * or above 599.
   */
  toFetch(): globalThis.Response {
    return responseToFetch(this.status, this.reason, this);
  }

  /**
   * Whether the connection stays open for another response after this one (RFC 9112 9.3). Setting it changes
   * Connection, and keeps that header's other options. Of a received response it is false, whatever its headers say, if
   * its body ends with the connection, or if the connection is no longer HTTP's: after 101, asked for or not, and after
   * a success of CONNECT.
   */
  override get keepAlive(): boolean {
    return !this.#isLast && super.keepAlive;
  }

  override set keepAlive(keep: boolean) {
    super.keepAlive = keep;
  }

  /** The connection carries no response after this one. @internal */
  endConnection(): void {
    this.#isLast = true;
  }

  /** The received response with another body. @internal */
  withBody(body: Uint8Array): Response {
    const { status, reason, version, headers } = this;
    const response = new Response({ status, reason, version, headers, body });
    response.#isLast = this.#isLast;
    return response;
  }

  /**
   * Whether the body ends with the connection, since the headers announce no end and the status allows a body (RFC 9112
   * 6.3).
   */
  get needsEof(): boolean {
    return !isBodiless(this.status) && !this.chunked && !this.headers.has("Content-Length");
  }

  protected override departure(): Departure {
    return responseDeparture(this.status, this, { method: "GET", version: this.version });
  }
}

/** A fetch response with this body as a `Response`, see {@link Response.from}. */
export function responseFromFetch(response: Omit<FetchResponse, "body">, body: Body): Response<Body> {
  const parts = responseParts(response, body);
  return new Response<Body>(parts, parts.headers);
}
