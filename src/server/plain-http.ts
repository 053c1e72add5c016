import { ServalError } from "../core/index.ts";
import { Request, Response, type Body } from "../http/index.ts";

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
 * and it goes in one write with the head. Every other one stays a stream.
 */
async function settled(response: Response<Body>): Promise<Response<Body>> {
  const { body } = response;
  if (body instanceof Uint8Array) return response;
  const source = body[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done === true) {
    response.body = new Uint8Array(0);
    return response;
  }
  const next = source.next();
  let second: IteratorResult<Uint8Array> | undefined;
  next.then(
    (result) => (second = result),
    () => {},
  );
  await new Promise(setImmediate);
  response.body = second?.done === true ? first.value : resumed(first.value, next, source);
  return response;
}

async function* resumed(
  first: Uint8Array,
  next: Promise<IteratorResult<Uint8Array>>,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield first;
    for (let result = await next; result.done !== true; result = await source.next()) yield result.value;
  } finally {
    await source.return?.();
  }
}

