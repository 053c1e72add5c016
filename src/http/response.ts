import { encodeUtf8 } from "../core/text.ts";
import { httpError } from "./errors.ts";
import { Fields, type FieldsInit } from "./fields.ts";
import { isValue } from "./grammar.ts";
import { isStatus, reasonPhrase } from "./status.ts";

/** What a {@link Response} is made from. */
export interface ResponseInit {
  /** The status, 100 to 999. Default 200. */
  status?: number;
  /** The reason phrase. Default the one that goes with the status. */
  reason?: string;
  /** Ten times the major version and the minor one. Default 11. */
  version?: number;
  /** The fields; they are copied. Default none. */
  fields?: FieldsInit;
  /** The body; text is sent as UTF-8, with `Content-Type: text/plain; charset=utf-8` unless one is given. Default empty. */
  body?: string | Uint8Array;
}

/** What {@link Response.from} takes: the part of fetch's `Response` that it looks at. */
export interface FetchResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Iterable<readonly [string, string]>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

const none: Uint8Array = new Uint8Array(0);

/** An HTTP response with a fixed body. Beast's `response`. */
export class Response {
  /** The status: 200. */
  readonly status: number;
  /** The reason phrase: `OK`. It may be empty. */
  readonly reason: string;
  /**
   * The version that it was received with, as in a request's `version`: 11 for HTTP/1.1. What is sent is HTTP/1.1
   * whatever this says (RFC 9112 2.3).
   */
  readonly version: number;
  /** The fields. Content-Length need not be among them: the serializer adds it. */
  readonly fields: Fields;
  /** The body, possibly empty. */
  readonly body: Uint8Array;

  /** Throws `http.bad_status`, `http.bad_reason`, and for fields as {@link Fields.append} does. */
  constructor(init: ResponseInit = {}) {
    this.status = init.status ?? 200;
    if (!isStatus(this.status)) throw httpError("http.bad_status");
    this.reason = init.reason ?? reasonPhrase(this.status);
    if (!isValue(this.reason)) throw httpError("http.bad_reason");
    this.version = init.version ?? 11;
    this.fields = new Fields(init.fields);
    const body = init.body ?? none;
    this.body = typeof body === "string" ? encodeUtf8(body) : body;
    if (typeof body === "string" && !this.fields.has("Content-Type")) {
      this.fields.append("Content-Type", "text/plain; charset=utf-8");
    }
  }

  /**
   * The same response as one of fetch's; its body is read to the end. Its Content-Length and Transfer-Encoding are left
   * out: they told how the body came, and the serializer says how it goes.
   */
  static async from(response: FetchResponse): Promise<Response> {
    const body = new Uint8Array(await response.arrayBuffer());
    // Headers go through Set-Cookie field by field, so several stay several.
    const fields = new Fields(response.headers);
    fields.delete("Content-Length");
    fields.delete("Transfer-Encoding");
    const reason = response.statusText === "" ? reasonPhrase(response.status) : response.statusText;
    return new Response({ status: response.status, reason, fields, body });
  }
}
