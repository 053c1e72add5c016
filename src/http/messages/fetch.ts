import { coreError } from "../../core/index.ts";
import { emptyBody, type Body, type BodyStream } from "./body.ts";
import { httpError } from "./errors.ts";
import { Fields } from "./fields.ts";
import { isHost } from "./grammar.ts";
import { isBodiless, reasonPhrase } from "./status.ts";
import { pathOf } from "./target.ts";

// Conversions to and from fetch's Request and Response.

/** The part of fetch's `Request` that is used. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body?: BodyStream | null;
}

/** The part of fetch's `Response` that is used. */
export interface FetchResponse {
  readonly status: number;
  readonly statusText: string;
  /** Where it was received from; empty for one that was made here. */
  readonly url?: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: BodyStream | null;
}

/** The parts of a message, for its constructor. */
interface Parts {
  readonly headers: Fields;
  readonly body: Body;
}

/**
 * The parts of a fetch request, with Host first. Content-Length and Transfer-Encoding are left out, since the
 * serializer decides the framing.
 */
export function requestFromFetch(request: FetchRequest): Parts & { method: string; target: string } {
  const url = new URL(request.url);
  const headers = new Fields({ Host: url.host });
  for (const [name, value] of request.headers) {
    if (name.toLowerCase() !== "host") headers.append(name, value);
  }
  headers.delete("Content-Length");
  headers.delete("Transfer-Encoding");
  return { method: request.method, target: url.pathname + url.search, headers, body: request.body ?? emptyBody };
}

/**
 * The parts of a fetch response. Its Content-Length stays, for the serializer to hold the body to it, unless it can't be
 * that of the body: fetch has decoded the content, or the status allows no body.
 */
export function responseParts(
  response: Omit<FetchResponse, "body">,
  body: Body,
): Parts & { status: number; reason: string } {
  const { status, statusText } = response;
  const reason = statusText === "" ? reasonPhrase(status) : statusText;
  // Headers yields each Set-Cookie separately, so several stay several.
  const headers = new Fields(response.headers);
  const isDecoded = headers.has("Content-Encoding") && (response.url ?? "") !== "";
  if (isDecoded || (isBodiless(status) && status !== 304)) headers.delete("Content-Length");
  headers.delete("Transfer-Encoding");
  return { status, reason, headers, body };
}

/** The parts of a request that become a fetch request. */
export interface SentRequest extends Parts {
  readonly method: string;
  readonly target: string;
  readonly version: number;
}

/** See `Request.toFetch`. */
export function requestToFetch(request: SentRequest, scheme: string, signal: AbortSignal | null = null): Request {
  const { method, headers, body } = request;
  const url = urlOf(request, scheme);
  checkFetchMethod(request);
  const init = { method, headers: headerPairs(headers), signal };
  if (isEmpty(body)) return new Request(url, init);
  return new Request(url, { ...init, body: bodyInit(body), duplex: "half" });
}

/** The methods that fetch forbids in any case, and those that it takes for their upper-case form. */
const forbidden: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
const normalized: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);

/** Checks here, since the platform's error would say less, and since it would make `get` another method: GET. */
export function checkFetchMethod({ method, body }: SentRequest): void {
  if (isEmpty(body) && normalized.has(method)) return;
  const upper = method.toUpperCase();
  if (forbidden.has(upper)) {
    throw coreError("core.invalid_argument", { message: `The method ${method} is not allowed in a fetch request` });
  }
  // RFC 9110 9.1: methods are case-sensitive.
  if (upper !== method && normalized.has(upper)) {
    const message = `The method ${method} is not ${upper}, but fetch would take it for that: write ${upper} if it is meant`;
    throw coreError("core.invalid_argument", { message });
  }
  if (!isEmpty(body) && (method === "GET" || method === "HEAD")) {
    throw coreError("core.invalid_argument", { message: `A fetch request with ${method} has no body` });
  }
}

/** Whether fetch sees no body. */
export function isEmpty(body: Body): boolean {
  return body instanceof Uint8Array && body.length === 0;
}

/** Headers as pairs for the platform's `Headers`. */
export function headerPairs(headers: Fields): [string, string][] {
  const { list } = headers;
  const pairs: [string, string][] = [];
  for (let at = 0; at < list.length; at += 2) pairs.push([list[at]!, list[at + 1]!]);
  return pairs;
}

/** See `Response.toFetch`. */
export function responseToFetch(status: number, reason: string, { headers, body }: Parts): Response {
  if (status < 200 || status > 599) {
    throw coreError("core.invalid_argument", { message: `The status ${status} is not allowed in a fetch response` });
  }
  const none = status === 204 || status === 205 || status === 304;
  const init = { status, statusText: reason, headers: headerPairs(headers) };
  return new Response(none ? null : bodyInit(body), init);
}

function bodyInit(body: Body): Uint8Array<ArrayBuffer> | ReadableStream {
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return body instanceof ReadableStream ? body : ReadableStream.from(body);
}

/** A path and a query that the URL parser leaves as they are: no dot segment, nothing to be escaped. */
const plainTarget = /^(?:[\w\-.~!$&()*+,;=:@]|\/(?!\.)|%(?!2[eE]))*(?:\?[\w\-.~!$&()*+,;=:@/?%]*)?$/;

/** The beginning of the last URL, since parsing costs as much as making the rest of a request. */
let known = { scheme: "", host: "", origin: "" };

/**
 * The URL of a request: its target may be a path or a whole URL (RFC 9112 3.2). `OPTIONS *` asks about the server as a
 * whole; its URL has the path `/*`, since fetch has none without a path.
 */
export function urlOf({ method, target: given, version, headers }: SentRequest, scheme: string): string {
  const target = given === "*" && method === "OPTIONS" ? "/*" : given;
  const host = headers.first("Host") ?? (version < 11 ? "localhost" : undefined);
  if (host === undefined || headers.count("Host") > 1 || !isHost(host)) throw httpError("http.bad_host");
  const isPath = target.startsWith("/");
  // A URL parser may misread a malformed target: `http:/chat` would be the host "chat".
  if (!isPath && !pathOf(target).startsWith("/")) throw httpError("http.bad_target");
  // Joined, not resolved: a target of "//other/" is a path, not another host.
  if (isPath && plainTarget.test(target)) return originOf(scheme, host) + target;
  const url = parseUrl(isPath ? `${scheme}://${host}${target}` : target, isPath ? "http.bad_host" : "http.bad_target");
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") throw httpError("http.bad_target");
  return url.href;
}

/** The beginning of the URLs of a valid host. Throws `http.bad_host`. */
function originOf(scheme: string, host: string): string {
  if (known.host !== host || known.scheme !== scheme) {
    const { href } = parseUrl(`${scheme}://${host}/`, "http.bad_host");
    known = { scheme, host, origin: href.slice(0, -1) };
  }
  return known.origin;
}

/** If a host is valid and its path can't be parsed, the URL parser refuses the host. */
function parseUrl(url: string, code: "http.bad_host" | "http.bad_target"): URL {
  try {
    return new URL(url);
  } catch (cause) {
    throw httpError(code, { cause });
  }
}
