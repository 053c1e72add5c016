import { handled, ServalError } from "../core/index.ts";
import { Request, Response, type Body, type BodyStream } from "../http/index.ts";

/** A handler of plain HTTP requests, with the standard types. */
export type Fetch = (request: globalThis.Request) => globalThis.Response | Promise<globalThis.Response>;

/** The answer to a plain request. Rejects with what the body of the request fails with, if `fetch` does. */
export async function answer(fetch: Fetch | undefined, request: Request): Promise<Response<Body>> {
  if (fetch === undefined) return upgradeRequired();
  let standard: globalThis.Request;
  try {
    standard = standardRequest(request);
  } catch (error) {
    if (error instanceof ServalError && error.condition === "protocol_violation") {
      return new Response({ status: 400, body: "The request's target or Host is malformed\n" });
    }
    // Methods that the standard forbids: CONNECT, TRACE, TRACK.
    return new Response({ status: 501, body: `The method ${request.method} is not implemented\n` });
  }
  const response = (await fetch(standard)) as globalThis.Response | undefined;
  if (typeof response?.arrayBuffer !== "function") throw new TypeError("fetch must return a Response");
  // Its stream would give nothing, and the client get an answer that looks whole: one object for many requests, say.
  if (response.bodyUsed)
    throw new TypeError("fetch must return a Response whose body is unused: a new one, or a clone");
  return settled(Response.from(response));
}

/** The standard has no body with GET and HEAD, where none is of any use (RFC 9110 9.3.1). */
function standardRequest(request: Request): globalThis.Request {
  const isRead = request.method === "GET" || request.method === "HEAD";
  return (isRead ? new Request({ ...request, body: "" }) : request).toFetch();
}

/** RFC 9110 section 15.5.22: a 426 names the protocol. */
function upgradeRequired(): Response {
  return new Response({
    status: 426,
    fields: { Upgrade: "websocket", Connection: "Upgrade" },
    body: "This is a WebSocket server\n",
  });
}

/**
 * A body whose only part is there at once, as that of a response made of text is, becomes bytes: then its size is known,
 * and it goes in one write with the head. Every other one stays a stream, whose head does not wait for its parts.
 */
async function settled(response: Response<Body>): Promise<Response<Body>> {
  const { body } = response;
  if (body instanceof Uint8Array) return response;
  const begun = new BegunBody(body);
  // A body made of text is known to be all there within a few microtasks.
  for (let turn = 0; turn < mostMicrotasks && !begun.isKnown; turn++) await undefined;
  if (!begun.isKnown) await new Promise(setImmediate);
  // Before anything is sent, a failure can still be told by a status.
  if (begun.hasFailed) throw begun.error;
  response.body = begun.whole ?? begun;
  return response;
}

const mostMicrotasks = 16;

/** A body of which the first two steps have been taken already. */
class BegunBody implements BodyStream {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #first: Promise<IteratorResult<Uint8Array>>;
  #second: Promise<IteratorResult<Uint8Array>> | undefined;
  hasFailed = false;
  error: unknown;
  /** All of it, once its end is known. */
  whole: Uint8Array | undefined;

  constructor(body: BodyStream) {
    this.#source = body[Symbol.asyncIterator]();
    this.#first = handled(this.#source.next());
    this.#first.then(this.#onFirst, this.#onFailed);
  }

  /** Whether it has come to its end, or failed. */
  get isKnown(): boolean {
    return this.hasFailed || this.whole !== undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    try {
      let result = await this.#first;
      if (result.done === true) return;
      yield result.value;
      for (result = await this.#second!; result.done !== true; result = await this.#source.next()) yield result.value;
    } finally {
      await this.#source.return?.();
    }
  }

  /** It is not read at all. */
  cancel(): void {
    const ended = this.#source.return?.();
    if (ended !== undefined) void handled(ended);
  }

  readonly #onFirst = ({ done, value: part }: IteratorResult<Uint8Array>): void => {
    if (done === true) {
      this.whole = new Uint8Array(0);
      return;
    }
    this.#second = handled(this.#source.next());
    this.#second.then((second) => {
      if (second.done === true) this.whole = part;
    }, this.#onFailed);
  };

  readonly #onFailed = (error: unknown): void => {
    this.hasFailed = true;
    this.error = error;
  };
}
