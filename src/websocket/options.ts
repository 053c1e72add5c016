import { invalidArgument } from "../core/errors.ts";
import { systemClock, type Clock, type Peer, type Role } from "../core/index.ts";
import { isPlainObject } from "../core/plain-object.ts";
import type { Request, Response } from "../http/index.ts";
import type { HandlersOf } from "./handlers.ts";
import { deflateSettings, type DeflateOptions, type DeflateSettings } from "./permessage-deflate.ts";
import type { UpgradeHook } from "./upgrade.ts";

/** Deadlines, in milliseconds; Infinity for none. Beast's `stream_base::timeout`. */
export interface Timeouts {
  /**
   * For the whole opening handshake, from the call of `accept` to the response written; and for the closing one, from
   * our close frame to the end of the transport.
   */
  handshake: number;
}

/** The deadlines that suit a role: 30,000 ms for the handshakes. Beast's `timeout::suggested`. */
export function suggestedTimeouts(_role: Role): Timeouts {
  return { handshake: 30_000 };
}

/** A kind of control frame. Beast's `frame_type`. */
export type ControlKind = "close" | "ping" | "pong";

/** Options of a stream, `Ws`; sizes in bytes, times in milliseconds, Infinity for none. */
export interface OptionsOf<Ws = unknown, Data = unknown> extends HandlersOf<Ws> {
  /**
   * The largest head of a handshake's request that is taken, counted through its blank line. Default 16,384. More is
   * `websocket.buffer_overflow`.
   */
  handshakeBufferSize?: number;
  /** The largest message that is received. Default 16 MiB. More is `websocket.message_too_big`, close code 1009. */
  maxMessageSize?: number;
  /** While this much waits to be sent, `send` says false and `write` waits. Default 64 KiB. */
  highWaterMark?: number;
  /**
   * What may wait to be sent before another message ends the connection with `websocket.queue_overflow`: the peer does
   * not read, and the application does not wait. Default 16 MiB. One message larger than this may always be sent.
   */
  maxBufferedAmount?: number;
  /** Whether text is received as strings, or as UTF-8 bytes (checked, but not decoded). Default "string". */
  text?: "string" | "bytes";
  /** Whether and how messages are compressed, with peers that can do it too (RFC 7692). Default false. */
  deflate?: boolean | DeflateOptions;
  /** Deadlines; those not given are the {@link suggestedTimeouts} of the role. */
  timeouts?: Partial<Timeouts>;
  /** Where time comes from. Default the platform's. */
  clock?: Clock;
  /** The peer's address, where the next layer can't tell it. */
  peer?: Peer;
  /** Looks at a valid upgrade request, and accepts or refuses it. */
  upgrade?: UpgradeHook<Data>;
  /**
   * Adds fields to every response of the handshake, last of all. What it changes of the handshake's own makes the
   * handshake fail with 500. The request is missing where none could be read. Beast's `decorator`.
   */
  decorate?: (response: Response, request: Request | undefined) => void;
  /**
   * Told of every control frame received. Pings and closes are answered by the stream. The payload is the receiver's
   * own. Beast's `control_callback`.
   */
  onControl?: (kind: ControlKind, payload: Uint8Array) => void;
}

/** Options of `Stream.accept`. */
export interface AcceptOptions {
  /** Bytes that the caller has read past the request which it passes. */
  buffered?: Uint8Array | readonly Uint8Array[];
  /** Aborts the handshake: the next layer is closed, and the operation completes with `core.aborted`. */
  signal?: AbortSignal;
}

/** Where `Stream.accept` begins: bytes that the caller has received, or a request that it has read. */
export type AcceptSource = Uint8Array | readonly Uint8Array[] | Request;

/** Options of `Stream.read`. */
export interface ReadOptions {
  /** Gives the read up with `core.aborted`; no data is lost, the next read gets it. */
  signal?: AbortSignal;
}

/** What `Stream.close` tells the peer. */
export interface CloseOptions {
  /** The close code; 1000 by default. 1000 to 1003, 1007 to 1014 and 3000 to 4999 can be sent. */
  code?: number;
  /** The reason, at most 123 bytes of UTF-8. Default empty. */
  reason?: string;
}

/** Options with the defaults filled in, checked; made once for all the connections of a server. */
export class Settings<Ws = unknown, Data = unknown> {
  readonly handshakeBufferSize: number;
  readonly maxMessageSize: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly text: "string" | "bytes";
  readonly deflate: DeflateSettings | undefined;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  readonly options: OptionsOf<Ws, Data>;

  /** Throws `core.invalid_argument`, naming the option, for what can't be meant. */
  constructor(options: OptionsOf<Ws, Data>) {
    checkNames(options);
    this.handshakeBufferSize = size("handshakeBufferSize", options.handshakeBufferSize, 16 * 1024);
    this.maxMessageSize = size("maxMessageSize", options.maxMessageSize, 16 * 1024 * 1024);
    // Below 1 there would be no room even where nothing waits.
    this.highWaterMark = Math.max(1, size("highWaterMark", options.highWaterMark, 64 * 1024));
    this.maxBufferedAmount = size("maxBufferedAmount", options.maxBufferedAmount, 16 * 1024 * 1024);
    this.text = options.text ?? "string";
    if (this.text !== "string" && this.text !== "bytes") {
      throw invalidArgument(`text must be "string" or "bytes", not ${String(this.text)}`);
    }
    this.deflate = deflateSettings(options.deflate, true);
    const handshake = size("timeouts.handshake", options.timeouts?.handshake, suggestedTimeouts("server").handshake);
    this.timeouts = { handshake };
    this.clock = options.clock ?? systemClock;
    this.options = { ...options };
  }
}

const functions = ["upgrade", "decorate", "onControl", "open", "message", "drain", "close", "error"];
const sizes = ["handshakeBufferSize", "maxMessageSize", "highWaterMark", "maxBufferedAmount"];
const others = [...sizes, "text", "deflate", "timeouts", "clock", "peer"];

/** A misspelt handler is never called, and nobody would know why. */
function checkNames<Ws, Data>(options: OptionsOf<Ws, Data>): void {
  if (!isPlainObject(options)) throw invalidArgument("Options are a plain object: a class would hide its methods");
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const isFunction = functions.includes(name);
    if (!isFunction && !others.includes(name)) throw invalidArgument(`There is no option "${name}"`);
    if (isFunction && value !== undefined && typeof value !== "function") {
      throw invalidArgument(`The option ${name} must be a function, not ${typeof value}`);
    }
  }
  const { timeouts = {}, clock = systemClock } = options;
  if (typeof timeouts !== "object")
    throw invalidArgument("The option timeouts must be an object, such as { handshake: 5000 }");
  for (const name of Object.keys(timeouts)) {
    if (name !== "handshake") throw invalidArgument(`There is no option "timeouts.${name}"`);
  }
  if (typeof clock.setTimer !== "function") throw invalidArgument("The option clock must be a Clock");
}

function size(name: string, given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (typeof given === "number" && given >= 0) return given;
  throw invalidArgument(`${name} must be a number of at least 0 (Infinity for no limit), not ${String(given)}`);
}
