import { emptyBody } from "../messages/body.ts";
import { checkFetchMethod, headerPairs, isEmpty, requestToFetch, urlOf, type SentRequest } from "../messages/fetch.ts";
import { Fields } from "../messages/fields.ts";
import { readBody } from "../messages/read-body.ts";
import type { Exchange } from "./serve-options.ts";

/**
 * A received request as one of fetch's, for a handler: as `toFetch`, but its body is ignored with GET and HEAD, and its
 * signal is the exchange's. Where the platform lets that pass for a `Request` in all that can be done with one, its parts
 * are made when they are looked at, since most handlers look at few.
 */
export function servedRequest(request: SentRequest, exchange?: Pick<Exchange, "signal">): Request {
  const isRead = request.method === "GET" || request.method === "HEAD";
  // The standard has no body with these, where none is of any use (RFC 9110 9.3.1).
  const served = isRead ? { ...partsOf(request), body: emptyBody } : request;
  isLight ??= canBeLight();
  if (!isLight) return requestToFetch(served, "http", exchange?.signal);
  // Refused at once, as it is there.
  const { href } = urlOf(served, "http");
  checkFetchMethod(served);
  return new LightRequest(served, href, exchange) as unknown as Request;
}

/** Whether light objects pass here. Known from the first request on: to find out makes real ones. */
let isLight: boolean | undefined;

function partsOf({ method, target, version, headers, body }: SentRequest): SentRequest {
  return { method, target, version, headers, body };
}

/**
 * Stands in for a `Request` until a real one is needed. What it doesn't have itself it inherits from the platform's
 * prototype, whose methods find their state here by the symbols that lead to the real one's.
 */
class LightRequest {
  /** The real one, made now, if there was none. */
  static real: (light: LightRequest) => Request;

  static {
    LightRequest.real = (light) => light.#makeReal();
  }

  readonly #request: SentRequest;
  readonly #exchange: Pick<Exchange, "signal"> | undefined;
  readonly #url: string;
  #headers: Headers | undefined;
  #real: Request | undefined;
  /** Whether the body has been read without a stream. */
  #isUsed = false;

  constructor(request: SentRequest, url: string, exchange: Pick<Exchange, "signal"> | undefined) {
    this.#request = request;
    this.#url = url;
    this.#exchange = exchange;
  }

  get method(): string {
    const { method } = this.#request;
    // What the standard normalizes, and nothing else.
    return /^(DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i.test(method) ? method.toUpperCase() : method;
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
    // The platform's own, called on this one, would have the clone follow a signal that it doesn't listen to.
    return this.#makeReal().clone();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#isLight ? this.#bytes().then(({ buffer }) => buffer) : this.#makeReal().arrayBuffer();
  }

  bytes(): Promise<Uint8Array> {
    return this.#isLight ? this.#bytes() : (this.#makeReal() as unknown as LightRequest).bytes();
  }

  json(): Promise<unknown> {
    return this.#isLight ? this.#text().then((text) => JSON.parse(text) as unknown) : this.#makeReal().json();
  }

  text(): Promise<string> {
    return this.#isLight ? this.#text() : this.#makeReal().text();
  }

  /** With what has become of this one. */
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

  /** Headers that were handed out before there was a real one are the ones that count. */
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

  /** Whether the body can be read without a stream: not the second time, which is the real one's to refuse. */
  get #isLight(): boolean {
    return this.#real === undefined && !this.#isUsed;
  }

  #read(): Promise<Uint8Array> {
    this.#isUsed = this.#hasBody;
    return readBody(this.#request.body, { maxBodySize: Infinity });
  }

  async #text(): Promise<string> {
    return new TextDecoder().decode(await this.#read());
  }

  /** Theirs alone, in a buffer of its size. */
  async #bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#read());
  }
}

/** Makes {@link LightRequest} one of the platform's family, and says whether it passes there for one that was made as usual. */
function canBeLight(): boolean {
  const { prototype } = LightRequest;
  const theirs = Request.prototype;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const usual = Object.getOwnPropertyDescriptor(theirs, name);
    // A method that this platform has not yet.
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
    // Its state is private there: only what its own constructor has made has any.
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
