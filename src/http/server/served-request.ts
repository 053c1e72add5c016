import { emptyBody } from "../messages/body.ts";
import { checkFetchMethod, headerPairs, isEmpty, requestToFetch, urlOf, type SentRequest } from "../messages/fetch.ts";
import { Fields } from "../messages/fields.ts";
import { readUpTo } from "../messages/read-body.ts";
import { decodeBody, directRequest, ownBytes, parseBody } from "./direct-request.ts";
import type { FollowedExchange } from "./followed-exchange.ts";
import { noted, noting } from "./malformed-body.ts";

/**
 * A received request as a fetch request for a handler: like `toFetch`, but with the exchange's signal, and without a
 * body for GET and HEAD. If the platform accepts it in place of a `Request` everywhere, its parts are made on demand,
 * since most handlers use few.
 */
export function servedRequest(request: SentRequest, exchange?: FollowedExchange): Request {
  const isRead = request.method === "GET" || request.method === "HEAD";
  // The standard allows no body with these methods, where a body has no meaning (RFC 9110 9.3.1).
  const served = isRead && !isEmpty(request.body) ? { ...partsOf(request), body: emptyBody } : request;
  isLight ??= canBeLight();
  if (!isLight) {
    return directRequest(served, exchange) ?? noting(requestToFetch(served, "http", exchange?.signal));
  }
  // Checked at once, as the platform does.
  const url = urlOf(served, "http");
  checkFetchMethod(served);
  return new LightRequest(served, url, exchange) as unknown as Request;
}

/** Whether light objects work on this platform. Found at the first request, since the check makes real ones. */
let isLight: boolean | undefined;

function partsOf({ method, target, version, headers, body }: SentRequest): SentRequest {
  return { method, target, version, headers, body };
}

/**
 * Stands in for a `Request` until a real one is needed. It inherits everything else from the platform's prototype,
 * whose methods find their state through symbols that lead to the real one.
 */
class LightRequest {
  /** The real request, made now if it does not exist. */
  static real: (light: LightRequest) => Request;

  static {
    LightRequest.real = (light) => light.#makeReal();
  }

  readonly #request: SentRequest;
  readonly #exchange: FollowedExchange | undefined;
  readonly #url: string;
  #headers: Headers | undefined;
  #real: Request | undefined;
  /** Whether the body has been read without a stream. */
  #isUsed = false;

  constructor(request: SentRequest, url: string, exchange: FollowedExchange | undefined) {
    this.#request = request;
    this.#url = url;
    this.#exchange = exchange;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#real?.headers ?? new Headers(headerPairs(this.#request.headers)));
  }

  get signal(): AbortSignal {
    return this.#exchange?.signal ?? this.#makeReal().signal;
  }

  get body(): ReadableStream | null {
    return this.#hasBody ? this.#makeReal().body : null;
  }

  get bodyUsed(): boolean {
    return this.#isUsed || this.#real?.bodyUsed === true;
  }

  clone(): Request {
    // The platform's clone of this object would follow a signal that it does not listen to.
    return noting(this.#makeReal().clone());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#isLight ? this.#bytes().then(({ buffer }) => buffer as ArrayBuffer) : this.#makeReal().arrayBuffer();
  }

  bytes(): Promise<Uint8Array> {
    return this.#isLight ? this.#bytes() : (this.#makeReal() as unknown as LightRequest).bytes();
  }

  json(): Promise<unknown> {
    return noted(this.#isLight ? this.#read().then(parseBody) : this.#makeReal().json(), SyntaxError);
  }

  formData(): Promise<FormData> {
    const isUsed = this.bodyUsed;
    const parsing = this.#makeReal().formData();
    return isUsed ? parsing : noted(parsing, TypeError);
  }

  text(): Promise<string> {
    return this.#isLight ? this.#read().then(decodeBody) : this.#makeReal().text();
  }

  /** Made with the current state of this one. */
  #makeReal(): Request {
    if (this.#real === undefined) {
      const request = this.#isUsed ? { ...partsOf(this.#request), body: new ReadableStream() } : this.#request;
      const real = (this.#real = requestToFetch(request, "http", this.#exchange?.signal));
      if (this.#isUsed) void real.body!.getReader().cancel();
      this.#headers ??= real.headers;
    }
    this.#alignHeaders(this.#real);
    return this.#real;
  }

  /** Headers that were handed out before override the real request's. */
  #alignHeaders({ headers }: Request): void {
    const own = this.#headers!;
    if (headers === own) return;
    const names = [...headers.keys()];
    for (const name of names) if (!own.has(name)) headers.delete(name);
    for (const [name, value] of own) if (name !== "set-cookie") headers.set(name, value);
    if (headers.getSetCookie().join("\n") === own.getSetCookie().join("\n")) return;
    headers.delete("set-cookie");
    for (const value of own.getSetCookie()) headers.append("set-cookie", value);
  }

  get #hasBody(): boolean {
    return !isEmpty(this.#request.body);
  }

  /** Whether the body can be read without a stream. The second time, the real request refuses it. */
  get #isLight(): boolean {
    return this.#real === undefined && !this.#isUsed;
  }

  #read(): Promise<Uint8Array> {
    this.#isUsed = this.#hasBody;
    return readUpTo(this.#request.body, Infinity);
  }

  /** A buffer of the caller's own, of exactly the body's size. */
  #bytes(): Promise<Uint8Array> {
    return this.#read().then((bytes) => ownBytes(bytes, this.#request.body));
  }
}

/** Makes {@link LightRequest} pass for the platform's class; returns whether it behaves like a normal `Request`. */
function canBeLight(): boolean {
  const { prototype } = LightRequest;
  const theirs = Request.prototype;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const usual = Object.getOwnPropertyDescriptor(theirs, name);
    // A method that this platform does not have.
    if (usual === undefined) Reflect.deleteProperty(prototype, name);
    else Object.defineProperty(prototype, name, { ...descriptor, enumerable: usual.enumerable === true });
  }
  Object.defineProperty(prototype, "constructor", { value: Request });
  Object.setPrototypeOf(prototype, theirs);
  for (const symbol of Object.getOwnPropertySymbols(new Request("http://localhost/"))) {
    Object.defineProperty(prototype, symbol, {
      get(this: LightRequest): unknown {
        return Reflect.get(LightRequest.real(this), symbol);
      },
    });
  }
  try {
    return passes();
  } catch {
    // The state is private there, in objects of its own constructor only.
    return false;
  }
}

function passes(): boolean {
  const sent = {
    method: "PUT",
    target: "/",
    version: 11,
    headers: new Fields({ Host: "localhost", a: "b" }),
    body: Uint8Array.of(1),
  };
  const request = new LightRequest(sent, "http://localhost/", undefined) as unknown as Request;
  const copy = new Request(request);
  const isCopied = copy.url === request.url && copy.method === "PUT" && copy.headers.get("a") === "b";
  return isCopied && copy.body !== null && request.bodyUsed && request.duplex === "half";
}
