import { Fields, type FieldsInit } from "./fields.ts";
import { hasToken } from "./token-list.ts";

/** What a {@link Request} is made from. */
export interface RequestInit {
  /** The method. Default `GET`. */
  method?: string;
  /** The request target as it stands in the request line. Default `/`. */
  target?: string;
  /** Ten times the major version and the minor one. Default 11. */
  version?: number;
  /** The fields; they are copied. Default none. */
  fields?: FieldsInit;
}

/** What {@link Request.from} takes: the part of Node's `IncomingMessage` that it looks at. */
export interface IncomingRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly rawHeaders: string[];
}

/** The head of an HTTP request. Beast's `request`. */
export class Request {
  /** The method, case kept: `GET`. */
  readonly method: string;
  /** The request target as it stands in the request line: `/chat?room=1`. */
  readonly target: string;
  /** Ten times the major version and the minor one, as in Beast: 11 for HTTP/1.1, 10 for HTTP/1.0. */
  readonly version: number;
  /** The fields. */
  readonly fields: Fields;

  constructor(init: RequestInit = {}) {
    this.method = init.method ?? "GET";
    this.target = init.target ?? "/";
    this.version = init.version ?? 11;
    this.fields = new Fields(init.fields);
  }

  /** The request that a `node:http` server received. Its fields are taken from `rawHeaders`, so none is merged or lost. */
  static from(incoming: IncomingRequest): Request {
    return new Request({
      method: incoming.method ?? "GET",
      target: incoming.url ?? "/",
      version: incoming.httpVersionMajor * 10 + incoming.httpVersionMinor,
      fields: Fields.fromRaw(incoming.rawHeaders),
    });
  }

  /** The target up to its first `?`: `/chat`. Not decoded. */
  get path(): string {
    const mark = this.target.indexOf("?");
    return mark < 0 ? this.target : this.target.slice(0, mark);
  }

  /** The target behind its first `?`: `room=1`. Empty where there is none; not decoded. */
  get query(): string {
    const mark = this.target.indexOf("?");
    return mark < 0 ? "" : this.target.slice(mark + 1);
  }

  /** Whether the sender wants the connection kept after this message: RFC 9112 9.3. */
  get keepAlive(): boolean {
    const connection = this.fields.joined("Connection");
    if (hasToken(connection, "close")) return false;
    return this.version >= 11 || hasToken(connection, "keep-alive");
  }

  /**
   * Whether the request asks to become a WebSocket, by its method, version, Connection and Upgrade alone. Beast's
   * `websocket::is_upgrade`.
   */
  get isUpgrade(): boolean {
    return (
      this.version >= 11 &&
      this.method === "GET" &&
      hasToken(this.fields.joined("Connection"), "upgrade") &&
      hasToken(this.fields.joined("Upgrade"), "websocket")
    );
  }
}
