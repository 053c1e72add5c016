import {
  bytesOf,
  checkOptions,
  checkSignal,
  copyOf,
  invalidArgument,
  isPairs,
  isPlainObject,
  notSendable,
  type OptionSet,
  show,
} from "../../core/internal.ts";
import { canTakeOver } from "../deflate/deflate.ts";
import { negotiatedDeflate } from "../handshake/permessage-deflate.ts";
import type { HandshakeResult } from "./opening.ts";
import type { AcceptInput } from "./server-handshake.ts";
import { byteLength, type BufferSource, type ByteStream, type Handler, type Peer } from "../../core/index.ts";
import { Request, Response } from "../../http/index.ts";
import type { MessageData } from "../options/handlers.ts";
import type { AcceptOptions, AcceptSource, AttachOptions, HandshakeOptions, SendOptions } from "../options/options.ts";
import { acceptOptions, attachOptions, checkSendOptions, sendOptions } from "../options/of-operations.ts";
import { PreparedMessage, type WholeData } from "../protocol/prepared.ts";

// Checks of what the operations of a stream are given. They throw `core.invalid_argument`, which says what is expected.

/** The completion handler of an operation: its last argument, if that is a function. */
export function handlerOf<Result>(given: readonly unknown[]): Handler<Result> | undefined {
  const last = given.length === 0 ? undefined : given[given.length - 1];
  return typeof last === "function" ? (last as Handler<Result>) : undefined;
}

/** The options of an operation, which stand after its own arguments. Throws for anything else in that place. */
export function optionsOf<Options extends object>(
  given: readonly unknown[],
  set: OptionSet,
  taker: string = set.taker,
): Options | undefined {
  if (given.length === 0) return undefined;
  const first = given[0];
  if (typeof first === "function" && given.length === 1) return undefined;
  if (first !== undefined) checkOptions(set, first, taker);
  if (given.length > 1) checkCompletion(taker, given[1]);
  return first as Options | undefined;
}

/** Checks the argument after the options: a completion handler, or undefined. */
export function checkCompletion(taker: string, handler: unknown): void {
  if (handler === undefined || typeof handler === "function") return;
  throw invalidArgument(`${taker} takes a completion handler after its options, a function, not ${show(handler)}`);
}

/** Checks the arguments of `send` after the message. */
export function checkSend(options: SendOptions | undefined, callback: unknown): void {
  // In other libraries `send` takes a callback.
  if (typeof options === "function" || callback !== undefined) {
    throw invalidArgument("send takes a message and options, and returns a boolean: write awaits, or takes a callback");
  }
  if (options !== undefined) checkSendOptions(sendOptions, options);
}

/** The arguments of `accept`, in any of its forms. */
export function acceptInput(source: AcceptSource | AcceptOptions | undefined, options?: AcceptOptions): AcceptInput {
  if (options !== undefined) checkOptions(acceptOptions, options);
  if (source instanceof Request) return inputOf(source, options?.buffered, options);
  const isBytes = source instanceof Uint8Array || Array.isArray(source);
  if (isBytes && options?.buffered !== undefined)
    throw invalidArgument("Bytes go into one place: the first, or buffered");
  if (isBytes) return inputOf(undefined, source as Uint8Array | readonly Uint8Array[], options);
  const given = (source ?? options ?? {}) as AcceptOptions;
  if (isPlainObject(given)) {
    if (source !== undefined && options !== undefined) throw invalidArgument("accept takes options once");
    if (source !== undefined) checkOptions(acceptOptions, source);
    return inputOf(undefined, given.buffered, given);
  }
  throw invalidArgument(
    "accept takes a Uint8Array, a list of them, an http.Request (http.Request.from makes one of Node's), or options",
  );
}

/** One object of one shape, since spreading the options takes longer than all other checks of a handshake. */
function inputOf(
  request: Request | undefined,
  buffered: Uint8Array | readonly Uint8Array[] | undefined,
  options: AcceptOptions | undefined,
): AcceptInput {
  return { request, buffered: bufferedOf(buffered), signal: checkSignal(options?.signal) };
}

function bufferedOf(buffers: Uint8Array | readonly Uint8Array[] | undefined): readonly Uint8Array[] {
  const list = buffers instanceof Uint8Array ? [buffers] : buffers === undefined ? [] : buffers;
  if (Array.isArray(list) && list.every((bytes) => bytes instanceof Uint8Array)) return list;
  throw invalidArgument("Received bytes are a Uint8Array or a list of them");
}

/** The options of `attach`, with the result that a handshake of our own would have had. */
export function attachInput(options: AttachOptions): Omit<AttachOptions, "subprotocol" | "extensions" | "buffered"> & {
  readonly result: HandshakeResult;
} {
  checkOptions(attachOptions, options);
  const { role, request, response, subprotocol = "", extensions, buffered } = options;
  if (role !== "server" && role !== "client") {
    throw invalidArgument(`attach needs the role of this side, "server" or "client", not ${show(role)}`);
  }
  if (request !== undefined && !(request instanceof Request)) throw notOf("request", "an http.Request", request);
  if (response !== undefined && !(response instanceof Response)) throw notOf("response", "an http.Response", response);
  if (typeof subprotocol !== "string") throw notOf("subprotocol", "a string", subprotocol);
  const buffers = bufferedOf(buffered);
  const rest = copyOf(buffers, byteLength(buffers));
  return {
    ...options,
    result: { protocol: subprotocol, deflate: negotiatedDeflate(role, extensions, canTakeOver), rest },
  };
}

function notOf(name: string, what: string, given: unknown): Error {
  return invalidArgument(`${name} of attach must be ${what}, not ${show(given)}`);
}

/** Subprotocols as a list. Their names are checked when the request is made. */
export function protocolList(protocols: HandshakeOptions["protocols"]): readonly string[] {
  if (protocols === undefined) return [];
  if (typeof protocols === "string") return [protocols];
  if (Array.isArray(protocols)) return protocols as readonly string[];
  throw invalidArgument("protocols must be a string or a list of strings");
}

/** The options of `handshake`. */
export function checkHandshake(
  options: HandshakeOptions = {},
): HandshakeOptions & { readonly protocols: readonly string[] } {
  checkSignal(options.signal);
  return { ...options, protocols: protocolList(options.protocols) };
}

/** Checks a message. Returns it if it is in memory as a whole, undefined if it comes in parts: a Blob or an iterable. */
export function checkSendable(data: unknown): WholeData | undefined {
  if (typeof data === "string" || data instanceof Uint8Array || data instanceof PreparedMessage) return data;
  if (Array.isArray(data)) return checkList(data as unknown[]);
  const bytes = bytesOf(data);
  if (bytes !== undefined || data instanceof Blob) return bytes;
  if (typeof data === "object" && data !== null && !isPairs(data)) {
    if (Symbol.asyncIterator in data || Symbol.iterator in data) return undefined;
  }
  throw noMessage(data);
}

/** A list of buffers is a whole message. A list with strings in it comes in parts, like any other iterable. */
function checkList(list: readonly unknown[]): readonly Uint8Array[] | undefined {
  // `findIndex` and `includes` also see the holes of a sparse list.
  if (list.findIndex((piece) => !(piece instanceof Uint8Array)) < 0) return list as readonly Uint8Array[];
  const pieces = list.map(bytesOf);
  if (!pieces.includes(undefined)) return pieces as readonly Uint8Array[];
  if (list.findIndex((piece, i) => typeof piece !== "string" && pieces[i] === undefined) < 0) return undefined;
  throw noMessage(list);
}

function noMessage(data: unknown): Error {
  const kinds = "a string, an ArrayBuffer or a view of one, a list of these, a Blob, prepared, or an iterable";
  return notSendable(`A message must be ${kinds}`, data);
}

/** Checks a part of a message, and returns it as a string or bytes. */
export function checkPart(data: string | BufferSource): MessageData {
  const part = typeof data === "string" ? data : bytesOf(data);
  if (part !== undefined) return part;
  throw notSendable("A part of a message must be a string, an ArrayBuffer or a view of one", data);
}

/** The address that the lowest layer, or one above it, has. */
export function peerOf(stream: ByteStream): Peer | undefined {
  for (let layer: ByteStream | undefined = stream; layer !== undefined; layer = layer.nextLayer) {
    if (layer.peer !== undefined) return layer.peer;
  }
  return undefined;
}
