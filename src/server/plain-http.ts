import { ServalError } from "../core/index.ts";
import { encodeUtf8, handled, invalidArgument, isPromise, show } from "../core/internal.ts";
import { Response, type Body, type BodyStream, type Request } from "../http/index.ts";
import {
  isMalformedBody,
  responseFromFetch,
  servedRequest,
  takeQueued,
  type FollowedExchange,
} from "../http/internal.ts";
import { takeSource } from "./response-source.ts";

/** A response of either kind. */
type AnyResponse = globalThis.Response | Response<Body>;

/** A handler of plain HTTP requests, with the standard request. */
export type Fetch = (request: globalThis.Request) => AnyResponse | Promise<AnyResponse>;

/**
 * Answers a plain request by `fetch`; the request's signal is the exchange's. Fails as `fetch` does, unless `onFailed` has
 * a response to its error. A response that is ready at once is returned at once.
 */
export function answer(
  fetch: Fetch,
  request: Request,
  exchange?: FollowedExchange,
  onFailed?: (error: unknown) => Response | undefined,
): Response<Body> | Promise<Response<Body>> {
  let standard: globalThis.Request;
  try {
    standard = servedRequest(request, exchange);
  } catch (error) {
    // The target of CONNECT is neither a path nor a URL (RFC 9112 section 3.2.3).
    const isMalformed = request.method !== "CONNECT" && error instanceof ServalError;
    if (isMalformed && error.condition === "protocol_violation") {
      return new Response({ status: 400, body: "The request's target or Host is malformed\n" });
    }
    // Methods that the standard forbids: CONNECT, TRACE, TRACK.
    return new Response({ status: 501, body: `The method ${request.method} is not implemented\n` });
  }
  let response: AnyResponse | Promise<AnyResponse>;
  try {
    response = fetch(standard);
  } catch (error) {
    return failed(error, onFailed);
  }
  if (!isPromise(response)) return own(response);
  return Promise.resolve(response).then(own, (error: unknown) => failed(error, onFailed));
}

/** The response to a failure of `fetch`; without one, throws the error. */
function failed(error: unknown, onFailed: ((error: unknown) => Response | undefined) | undefined): Response {
  const refusal = isMalformedBody(error) ? malformedBody() : onFailed?.(error);
  if (refusal === undefined) throw error;
  return refusal;
}

/** What `fetch` has returned as a response of this library. Throws if it is none, or one that is used. */
function own(response: AnyResponse): Response<Body> | Promise<Response<Body>> {
  if (response instanceof Response) return response;
  if (typeof response?.arrayBuffer !== "function") {
    throw invalidArgument(`fetch must return a Response, the standard one or an http.Response, not ${show(response)}`);
  }
  const source = takeSource(response);
  if (source !== undefined)
    return responseFromFetch(response, typeof source === "string" ? encodeUtf8(source) : source);
  // Such a body would be empty, and the response look complete; this happens when one object answers many requests.
  if (response.bodyUsed)
    throw invalidArgument("fetch must return a Response whose body is unused: a new one, or a clone");
  return settled(Response.from(response));
}

function malformedBody(): Response {
  return new Response({ status: 400, body: "The request's body is malformed\n" });
}

/** The response of a server without `fetch`. RFC 9110 section 15.5.22: a 426 names the protocol. */
export function upgradeRequired(): Response {
  return new Response({
    status: 426,
    headers: { Upgrade: "websocket", Connection: "Upgrade" },
    body: "This is a WebSocket server\n",
  });
}

/**
 * A body whose only part is ready at once, as in a response made from text, becomes bytes: then its size is known, and
 * it leaves in one write with the head. Any other body stays a stream, whose head does not wait for its parts.
 */
function settled(response: Response<Body>): Response<Body> | Promise<Response<Body>> {
  const { body } = response;
  return body instanceof ReadableStream ? begin(response, body) : response;
}

async function begin(response: Response<Body>, body: ReadableStream<Uint8Array>): Promise<Response<Body>> {
  // The platform closes a body made from text after a microtask.
  await undefined;
  const whole = takeQueued(body);
  if (whole !== undefined) {
    response.body = whole;
    return response;
  }
  const begun = new BegunBody(body);
  // A body made from text shows its end within a few microtasks.
  for (let turn = 0; turn < mostMicrotasks && !begun.isKnown; turn++) await undefined;
  if (!begun.isKnown) await new Promise(setImmediate);
  // Before anything is sent, a failure can still be answered with a status.
  if (begun.hasFailed) throw begun.error;
  response.body = begun.whole ?? begun;
  return response;
}

const mostMicrotasks = 16;

type Part = Promise<IteratorResult<Uint8Array, undefined>>;

/** A body whose first two parts have already been requested. */
class BegunBody implements BodyStream, AsyncIterator<Uint8Array, undefined> {
  /** A reader is cheaper than the stream's iterator, and releases the stream at once. */
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Parts that were requested and not yet returned. */
  #first: Part | undefined;
  #second: Part | undefined;
  hasFailed = false;
  error: unknown;
  /** The whole body, once its end is known. */
  whole: Uint8Array | undefined;
  #hasEnded = false;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    this.#first = this.#reader.read() as Part;
    this.#second = this.#reader.read() as Part;
    let part: unknown;
    this.#first.then((result) => (part = result.done === true ? new Uint8Array(0) : result.value), this.#onFailed);
    this.#second.then((result) => {
      this.#hasEnded = result.done === true;
      if (this.#hasEnded && part instanceof Uint8Array) this.whole = part;
    }, this.#onFailed);
  }

  /** Whether the body has ended, or failed. */
  get isKnown(): boolean {
    return this.hasFailed || this.#hasEnded;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Part {
    const next = this.#first ?? this.#second;
    if (this.#first !== undefined) this.#first = undefined;
    else this.#second = undefined;
    return next ?? (this.#reader.read() as Part);
  }

  /** Called when the body is not read to its end. */
  async return(): Part {
    await this.#reader.cancel();
    return { done: true, value: undefined };
  }

  /** Called when the body is not read at all. */
  cancel(): void {
    void handled(this.return());
  }

  readonly #onFailed = (error: unknown): void => {
    this.hasFailed = true;
    this.error = error;
  };
}
