import { beginSource, stopSource } from "../../core/internal.ts";
import { emptyBody, type Body, type BodyStream } from "../messages/body.ts";
import { checkFetchMethod, headerPairs, isEmpty, urlOf, type SentRequest } from "../messages/fetch.ts";
import { Fields } from "../messages/fields.ts";
import { readUpTo } from "../messages/read-body.ts";
import type { FollowedExchange } from "./followed-exchange.ts";
import { noted, noting } from "./malformed-body.ts";
import { markRead } from "./stream-state.ts";

const decoder = new TextDecoder();

/** The text of a body, as fetch decodes it. */
export function decodeBody(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The JSON of a body, as fetch parses it. */
export function parseBody(bytes: Uint8Array): unknown {
  return JSON.parse(decodeBody(bytes));
}

/** A body in a buffer of the reader's own, of exactly its size. */
export function ownBytes(bytes: Uint8Array, body: Body): Uint8Array {
  const isOwn = bytes !== body && bytes.length === bytes.buffer.byteLength;
  return isOwn ? bytes : new Uint8Array(bytes);
}

/** The platform's class, as it is: the types of Node.js have its methods as properties. */
declare class PlatformRequest {
  constructor(url: string, init: RequestInit);
  get signal(): AbortSignal;
  get body(): ReadableStream | null;
  get bodyUsed(): boolean;
  clone(): Request;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
  formData(): Promise<FormData>;
  json(): Promise<unknown>;
  text(): Promise<string>;
}
const Platform = Request as unknown as typeof PlatformRequest;

/**
 * A platform's request that is cheaper to make and to read: it is not linked to its exchange's signal before that is
 * asked for or aborts, and its body is read from its source unless its stream is used.
 */
class DirectRequest extends Platform {
  readonly #source: Body;
  readonly #stream: ReadableStream | null;
  readonly #exchange: FollowedExchange | undefined;

  constructor(url: string, request: SentRequest, exchange: FollowedExchange | undefined) {
    const { method, body } = request;
    const headers = headerPairs(request.headers);
    super(url, isEmpty(body) ? { method, headers } : { method, headers, body: streamOf(body), duplex: "half" });
    this.#source = body;
    this.#stream = isEmpty(body) ? null : super.body;
    this.#exchange = exchange;
    // Not a closure over this object: with one, V8 keeps both for longer, and collecting them costs as much as the request.
    if (exchange !== undefined) exchange.follower = this as unknown as Request;
  }

  override get signal(): AbortSignal {
    return this.#exchange?.signal ?? super.signal;
  }

  override clone(): Request {
    // The platform's clone follows a signal that was given to the constructor.
    const copy = super.clone();
    return noting(this.#exchange === undefined ? copy : new Request(copy, { signal: this.#exchange.signal }));
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#begin()?.then((bytes) => ownBytes(bytes, this.#source).buffer as ArrayBuffer) ?? super.arrayBuffer();
  }

  override bytes(): Promise<Uint8Array> {
    return this.#begin()?.then((bytes) => ownBytes(bytes, this.#source)) ?? super.bytes();
  }

  override text(): Promise<string> {
    return this.#begin()?.then(decodeBody) ?? super.text();
  }

  override json(): Promise<unknown> {
    return noted(this.#begin()?.then(parseBody) ?? super.json(), SyntaxError);
  }

  override formData(): Promise<FormData> {
    return this.bodyUsed ? super.formData() : noted(super.formData(), TypeError);
  }

  /** Begins to read the source, if nothing has used the stream; that is used then. */
  #begin(): Promise<Uint8Array> | undefined {
    const { body } = this;
    // A clone leaves another stream here, which shares the source with the clone's.
    if (body === null || body !== this.#stream || !markRead(body)) return undefined;
    // As the platform leaves it.
    body.getReader();
    return readUpTo(this.#source, Infinity);
  }
}

/** A stream that begins to read the source when it is read. */
function streamOf(source: Body): ReadableStream {
  if (source instanceof ReadableStream) return source;
  if (source instanceof Uint8Array) return ReadableStream.from([source]);
  return new ReadableStream(new PulledSource(source), { highWaterMark: 0 });
}

class PulledSource {
  readonly #body: BodyStream;
  #iterator: AsyncIterator<Uint8Array> | undefined;

  constructor(body: BodyStream) {
    this.#body = body;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#iterator ??= beginSource(this.#body);
    const { done, value } = await this.#iterator.next();
    if (done === true) controller.close();
    else controller.enqueue(value);
  }

  cancel(): void {
    stopSource((this.#iterator ??= beginSource(this.#body)));
  }
}

/** The signal that a platform's request has of its own. */
const ownSignal = Object.getOwnPropertyDescriptor(Request.prototype, "signal")!.get as (this: Request) => AbortSignal;

/**
 * The exchange of a {@link directRequest} has failed: makes the request's own signal one that is aborted. It has no
 * controller, and is seen by the platform alone, in requests that are made from this one.
 */
export function abortRequest(request: Request, reason: unknown): void {
  const signal = ownSignal.call(request);
  Object.defineProperties(signal, { aborted: { value: true }, reason: { value: reason } });
  signal.dispatchEvent(new Event("abort"));
}

/** Whether requests made from such a one follow its exchange on this platform. */
let works: boolean | undefined;

/** A received request as a {@link DirectRequest}; undefined where that does not work. Throws as `toFetch` does. */
export function directRequest(request: SentRequest, exchange: FollowedExchange | undefined): Request | undefined {
  works ??= canFollow();
  if (!works) return undefined;
  const url = urlOf(request, "http");
  checkFetchMethod(request);
  return asRequest(new DirectRequest(url, request, exchange));
}

function asRequest(request: DirectRequest): Request {
  return request as unknown as Request;
}

function canFollow(): boolean {
  try {
    hideClass();
    const exchange: FollowedExchange = { signal: new AbortController().signal };
    const sent = { method: "PUT", target: "/", version: 11, headers: new Fields({ a: "b" }), body: Uint8Array.of(1) };
    const reason = new RangeError("A check");
    const request = asRequest(new DirectRequest("http://localhost/", sent, exchange));
    const copy = new Request(request);
    abortRequest(request, reason);
    const later = asRequest(new DirectRequest("http://localhost/", { ...sent, body: emptyBody }, exchange));
    abortRequest(later, reason);
    const follow = [copy, new Request(later)].every(({ signal }) => signal.aborted && signal.reason === reason);
    return follow && copy.headers.get("a") === "b" && copy.body !== null && request.bodyUsed;
  } catch {
    return false;
  }
}

/** Nothing is to be seen of the class but that it is the platform's. */
function hideClass(): void {
  const { prototype } = DirectRequest;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const usual = Object.getOwnPropertyDescriptor(Request.prototype, name);
    // A method that this platform does not have.
    if (usual === undefined) Reflect.deleteProperty(prototype, name);
    else Object.defineProperty(prototype, name, { ...descriptor, enumerable: usual.enumerable === true });
  }
  Object.defineProperty(prototype, "constructor", { value: Request });
}
