import type { Clock, Role } from "../../core/index.ts";
import type { FieldsInit, Request, Response } from "../../http/index.ts";
import type { HandlersOf } from "./handlers.ts";
import type { DeflateOptions } from "../handshake/permessage-deflate.ts";
import type { RateOptions } from "./rate.ts";
import type { UpgradeHook } from "./upgrade-hook.ts";

/** Deadlines, in milliseconds; Infinity for none. */
export interface Timeouts {
  /**
   * For the whole opening handshake, from the call of `accept` or `handshake` to its end; and for the closing one, from
   * our close frame to the end of the transport.
   */
  handshake: number;
  /**
   * How long the peer may be silent. Any byte that comes counts as life, and so does progress of a write that the
   * transport could not take at once. While we don't read, the clock stands still. Then the connection ends with
   * `core.timeout`.
   */
  idle: number;
  /** Whether a peer that was silent for half of `idle` is sent a ping, so that only a dead one is cut off. */
  keepAlivePings: boolean;
}

/**
 * The deadlines that suit a role: 30,000 ms for the handshakes; for a server 300,000 ms of silence with keep-alive
 * pings, for a client none.
 */
export function suggestedTimeouts(role: Role): Timeouts {
  const isServer = role === "server";
  return { handshake: 30_000, idle: isServer ? 300_000 : Infinity, keepAlivePings: isServer };
}

/** Options of a stream, `Ws`; sizes in bytes, times in milliseconds, Infinity for none. */
export interface OptionsOf<Ws = unknown, Data = unknown> extends HandlersOf<Ws> {
  /**
   * The largest head of a handshake's request that is taken, counted through its blank line. Default 16,384. More is
   * `websocket.buffer_overflow`.
   */
  maxHeaderSize?: number | undefined;
  /** The largest message that is received. Default 16 MiB. More is `websocket.message_too_big`, close code 1009. */
  maxMessageSize?: number | undefined;
  /**
   * The most frames that a message may come in. Default 16,384. More is `websocket.too_many_fragments`, close code 1008.
   */
  maxFragments?: number | undefined;
  /** While this much waits to be sent, `send` says false and `write` waits. Default 64 KiB. */
  highWaterMark?: number | undefined;
  /**
   * What may wait to be sent before `overflow` says what becomes of another message: the peer does not read, and the
   * application does not wait. Default 16 MiB. One message larger than this may always be sent.
   */
  maxBufferedAmount?: number | undefined;
  /**
   * What becomes of a message for which `maxBufferedAmount` leaves no room. "close", the default: the connection ends with
   * `websocket.queue_overflow`. "drop": the message is not sent; `send` returns false, `write` fails with
   * `websocket.queue_overflow`; one that was begun in parts goes on. "wait": it is queued all the same, for an application that
   * awaits every `write`.
   */
  overflow?: "close" | "drop" | "wait" | undefined;
  /**
   * Whether messages larger than `writeBufferSize` are sent in frames of that size, so that pings and closes find their way
   * between them. Default true.
   */
  autoFragment?: boolean | undefined;
  /** The most payload of a frame, with `autoFragment`. Default 128 KiB. */
  writeBufferSize?: number | undefined;
  /** Whether text is received as strings, or as UTF-8 bytes (checked, but not decoded). Default "string". */
  text?: "string" | "bytes" | undefined;
  /**
   * How many handlers of messages may be at work at once: with more than 1, the next message does not wait for the promise
   * of the one before. Default 1.
   */
  concurrency?: number | undefined;
  /** How fast the peer may send; false for as fast as it likes. Default false; `serve` has limits. */
  rate?: RateOptions | false | undefined;
  /** Whether and how messages are compressed, with peers that can do it too (RFC 7692). Default false. */
  deflate?: boolean | DeflateOptions | undefined;
  /** Deadlines; those not given are the {@link suggestedTimeouts} of the role. */
  timeouts?: Partial<Timeouts> | undefined;
  /** Where time comes from. Default the platform's. */
  clock?: Clock | undefined;
  /** Looks at a valid upgrade request, and accepts or refuses it. */
  upgrade?: UpgradeHook<Data> | undefined;
  /**
   * Adds headers to the handshake's message, last of all. In the server role that is every response, with the request that
   * it answers, undefined where none could be read; in the client role it is the request. It can't be async. The
   * handshake's own headers, the status or request line and the body of a 101 or a request are not its to change: a
   * server's handshake then fails with 500, a client's with `websocket.bad_upgrade_result`, before anything is sent.
   */
  decorate?(message: Request | Response, request: Request | undefined): void;
}

/** Options of `Stream.accept`. */
export interface AcceptOptions {
  /** Bytes that the caller has read past the request which it passes. */
  buffered?: Uint8Array | readonly Uint8Array[] | undefined;
  /** Aborts the handshake: the next layer is closed, and the operation completes with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** Where `Stream.accept` begins: bytes that the caller has received, or a request that it has read. */
export type AcceptSource = Uint8Array | readonly Uint8Array[] | Request;

/** Options of `Stream.handshake`. */
export interface HandshakeOptions {
  /** The subprotocols to offer, the preferred one first. Default none. */
  protocols?: string | readonly string[] | undefined;
  /** More headers for the request: Origin, Cookie, Authorization and the like. */
  headers?: FieldsInit | undefined;
  /** Aborts the handshake: the next layer is closed, and the operation completes with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.read`, `readSome` and `nextMessage`, and of `Message.bytes` and `text`. */
export interface ReadOptions {
  /**
   * Gives the read up with `core.aborted`. No data is lost, the next read gets it; but `bytes` and `text` give the message
   * up, and what remains of it is dropped.
   */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.send`. */
export interface SendOptions {
  /** What bytes are sent as: "text" for bytes that are UTF-8, which is not checked. Default "binary". */
  kind?: "text" | "binary" | undefined;
  /** Whether the message is compressed, where that was agreed on. Default true. */
  compress?: boolean | undefined;
}

/** Options of `Stream.write`. */
export interface WriteOptions extends SendOptions {
  /**
   * Gives the wait up with `core.aborted`. A message of which nothing has left yet is withdrawn; any other is sent whole.
   */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.ping` and `Stream.pong`. */
export interface ControlOptions {
  /** Gives the wait up with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link prepare}. */
export interface PrepareOptions extends SendOptions {}

/** What `Stream.close` tells the peer. */
export interface CloseOptions {
  /** The close code; 1000 by default. 1000 to 1003, 1007 to 1014 and 3000 to 4999 can be sent; 1005 sends none. */
  code?: number | undefined;
  /** The reason, at most 123 bytes of UTF-8. Default empty. */
  reason?: string | undefined;
  /** Terminates the connection when it aborts, so that the close completes without the peer. */
  signal?: AbortSignal | undefined;
}
