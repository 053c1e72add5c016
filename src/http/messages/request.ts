import type { BufferSource } from "../../core/index.ts";
import { emptyBody, toBody, type Body, type BodyInit } from "./body.ts";
import { checkInit, noMessage, requestInit, wrongPart } from "./check-init.ts";
import { requestFromFetch, requestToFetch, type FetchRequest } from "./fetch.ts";
import { Fields, type FieldsInit } from "./fields.ts";
import { requestDeparture, type Departure } from "./framing.ts";
import { partsOf, type IncomingMessage } from "./incoming-message.ts";
import { Message } from "./message.ts";
import { pathOf } from "./target.ts";
import { hasToken } from "./token-list.ts";

/** The parts of a {@link Request}. */
export interface RequestInit<Content extends Body = Body> {
  /** The method. Default `GET`. */
  method?: string;
  /** The request target of the request line. Default `/`. */
  target?: string;
  /** Ten times the major version plus the minor one. Default 11. */
  version?: number;
  /** The headers; they are copied. Default none. */
  headers?: FieldsInit;
  /** The body, see {@link BodyInit}; text is sent as UTF-8. Default empty. */
  body?: BodyInit | Content | undefined;
}

/** An HTTP request. */
export class Request<Content extends Body = Body> extends Message<Content> {
  /** The method, with its case: `GET`. */
  readonly method: string;
  /** The request target of the request line: `/chat?room=1`. */
  readonly target: string;

  /** Throws the errors of {@link Fields.append}, and `core.invalid_argument` for an invalid body or an unknown name. */
  constructor(init?: Omit<RequestInit, "body"> & { body?: string | BufferSource | undefined });
  constructor(init: RequestInit<Content>);
  /** Of parts that a parser has checked; the headers are used themselves. @internal */
  constructor(line: Required<Pick<RequestInit, "method" | "target" | "version">>, headers: Fields);
  constructor(init: RequestInit<Content> = {}, headers?: Fields) {
    const isParsed = headers instanceof Fields;
    if (!isParsed) checkInit(requestInit, init, headers);
    const { method = "GET", target = "/", version = 11 } = init;
    if (isParsed) {
      super(version, headers, emptyBody as Content);
      this.method = method;
      this.target = target;
      return;
    }
    if (typeof method !== "string") throw wrongPart("method", method);
    if (typeof target !== "string") throw wrongPart("target", target);
    if (typeof version !== "number") throw wrongPart("version", version);
    super(version, new Fields(init.headers), toBody(init.body) as Content);
    this.method = method;
    this.target = target;
  }

  /**
   * The request that a `node:http` server received, or a fetch request; its body is read from there on demand. Node's
   * headers are taken from `rawHeaders`, so none is merged or lost.
   */
  static from(request: IncomingMessage | FetchRequest): Request<Body> {
    const isMessage =
      typeof request === "object" && request !== null && ("headers" in request || "rawHeaders" in request);
    if (!isMessage) throw noMessage("http.Request.from", request);
    if (!("rawHeaders" in request)) return new Request<Body>(requestFromFetch(request));
    return new Request<Body>({ method: request.method ?? "GET", target: request.url ?? "/", ...partsOf(request) });
  }

  /**
   * This request as a fetch request; its URL is made from `scheme` (default `http`), Host and target. Throws
   * `http.bad_host`, `http.bad_target` for a target that is neither path nor URL, and `core.invalid_argument` for what
   * fetch does not allow: the methods CONNECT, TRACE and TRACK, a body with GET or HEAD, and a method such as `get`,
   * which fetch would take for another, since case counts (RFC 9110 9.1). The target `*` of OPTIONS
   * becomes the path `/*`.
   */
  toFetch(scheme: "http" | "https" = "http"): globalThis.Request {
    return requestToFetch(this, scheme);
  }

  /**
   * The path of the target, without its query, not decoded: `/chat`. The target may be a whole URL (RFC 9112 3.2.2).
   */
  get path(): string {
    return pathOf(this.target);
  }

  /** The target after its first `?`, not decoded: `room=1`. Empty if there is none. */
  get query(): string {
    const mark = this.target.indexOf("?");
    return mark < 0 ? "" : this.target.slice(mark + 1);
  }

  /**
   * Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 10.1.1). `serve` handles that
   * itself; a server that reads by hand first writes `new Response({ status: 100 })`, or refuses.
   */
  get expectsContinue(): boolean {
    return this.version >= 11 && hasToken(this.headers.get("Expect"), "100-continue");
  }

  protected override departure(): Departure {
    return requestDeparture(this.method, this);
  }
}
