import type { Clock, Role } from "../../core/index.ts";
import type { FieldsInit, Request, Response } from "../../http/index.ts";
import type { HandlersOf } from "./handlers.ts";
import type { DeflateOptions } from "../handshake/permessage-deflate.ts";
import type { RateOptions } from "./rate.ts";
import type { UpgradeHook } from "./upgrade-hook.ts";

/** Deadlines, in milliseconds; Infinity for none. */
export interface Timeouts {
  /**
   * For the whole opening handshake, from the call of `accept` or `handshake` to its end; and for the closing
   * handshake, from this side's close frame to the end of the transport.
   */
  handshake: number;
  /**
   * How long the peer may be silent before the connection ends with `core.timeout`. Any received byte, and progress of
   * a write that the transport could not take at once, restarts the time. It does not run while reading is paused.
   */
  idle: number;
  /** Whether a peer that was silent for half of `idle` gets a ping, so that only a dead peer is cut off. */
  keepAlivePings: boolean;
}

/**
 * The default deadlines of a role: 30,000 ms for the handshakes; for a server 300,000 ms of silence with keep-alive
 * pings, for a client none.
 */
export function suggestedTimeouts(role: Role): Timeouts {
  const isServer = role === "server";
  return { handshake: 30_000, idle: isServer ? 300_000 : Infinity, keepAlivePings: isServer };
}

/** Options of a stream, `Ws`; sizes in bytes, times in milliseconds, Infinity for none. */
export interface OptionsOf<Ws = unknown, Data = unknown, Failed = Ws> extends HandlersOf<Ws, Failed> {
  /**
   * The largest head of a handshake's request, or of the response for a client, with its empty line. Default 16,384. A
   * larger one is `websocket.buffer_overflow`.
   */
  maxHeaderSize?: number | undefined;
  /**
   * The most headers of a handshake's request, or of the response for a client. Default 2,000, as in a response for
   * Node.js. More are `http.field_limit`.
   */
  maxHeadersCount?: number | undefined;
  /** The largest received message. Default 16 MiB. A larger one is `websocket.message_too_big`, close code 1009. */
  maxMessageSize?: number | undefined;
  /** The most frames of a message. Default 131,072. More are `websocket.too_many_fragments`, close code 1008. */
  maxFragments?: number | undefined;
  /** While this much waits to be sent, `send` returns false and `write` waits. Default 64 KiB. */
  highWaterMark?: number | undefined;
  /**
   * How much may wait to be sent before `overflow` decides about another message; this is reached if the peer does not
   * read and the application does not wait. Default 16 MiB. A single larger message may always be sent.
   */
  maxBufferedAmount?: number | undefined;
  /**
   * What happens to a message beyond `maxBufferedAmount`. "close", the default: the connection ends with
   * `websocket.queue_overflow`. "drop": the message is not sent; `send` returns false, `write` fails with
   * `websocket.queue_overflow`; a message begun in parts goes on. "wait": it is queued all the same, for an application
   * that awaits every `write`.
   */
  overflow?: "close" | "drop" | "wait" | undefined;
  /**
   * Whether messages larger than `writeBufferSize` are sent in frames of that size, so that pings and closes can go
   * between them. Default true.
   */
  autoFragment?: boolean | undefined;
  /** The largest payload of a frame, with `autoFragment`. Default 128 KiB. */
  writeBufferSize?: number | undefined;
  /** Whether text is received as strings, or as UTF-8 bytes (checked, not decoded). Default "string". */
  text?: "string" | "bytes" | undefined;
  /**
   * How many message handlers may run at once: with more than 1, the next message does not wait for the previous
   * promise. Default 1.
   */
  concurrency?: number | undefined;
  /** How fast the peer may send; false for no limit. Default false; `serve` has a default limit. */
  rate?: RateOptions | false | undefined;
  /** Whether and how messages are compressed, if the peer supports it (RFC 7692). Default false. */
  deflate?: boolean | DeflateOptions | undefined;
  /** Deadlines. Default: the {@link suggestedTimeouts} of the role. */
  timeouts?: Partial<Timeouts> | undefined;
  /** The source of time. Default: the platform's. */
  clock?: Clock | undefined;
  /** Accepts or refuses a valid upgrade request. */
  upgrade?: UpgradeHook<Data> | undefined;
  /**
   * Adds headers to the handshake's message, after all others. For a server that is every response, with the request
   * that it answers, undefined if none could be read; for a client it is the request. It can't be async. It must not
   * change the handshake's own headers, the status or request line, or the body of a 101 or a request: a server's
   * handshake then fails with 500, a client's with `websocket.bad_upgrade_result`, before anything is sent. Of a refusal
   * only the headers are taken: its status and body stay.
   */
  decorate?(message: Request | Response, request: Request | undefined): void;
}

/** Options of `Stream.accept`. */
export interface AcceptOptions {
  /** Bytes that the caller has read after the request that it passes. */
  buffered?: Uint8Array | readonly Uint8Array[] | undefined;
  /** Aborts the handshake: the next layer is closed, and the operation completes with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** What `Stream.attach` has to know of the handshake that was made elsewhere. */
export interface AttachOptions {
  /** Which side of the handshake we were. */
  role: Role;
  /** The upgrade request, for `ws.request`. */
  request?: Request | undefined;
  /** In the client role, the server's response, for `ws.response`. */
  response?: Response | undefined;
  /** What `ws.data` is to be. */
  data?: unknown;
  /** The subprotocol that was agreed on, for `ws.protocol`. Default none. */
  subprotocol?: string | undefined;
  /** The value of the response's Sec-WebSocket-Extensions (RFC 6455 section 9.1). Default none. */
  extensions?: string | undefined;
  /** Bytes that were received after the handshake: the first frames. They are copied. */
  buffered?: Uint8Array | readonly Uint8Array[] | undefined;
}

/** Where `Stream.accept` begins: bytes that the caller has received, or a request that it has read. */
export type AcceptSource = Uint8Array | readonly Uint8Array[] | Request;

/** Options of `Stream.handshake`. */
export interface HandshakeOptions {
  /** The subprotocols to offer, in order of preference. Default none. */
  protocols?: string | readonly string[] | undefined;
  /** More headers for the request: Origin, Cookie, Authorization and the like. */
  headers?: FieldsInit | undefined;
  /** Aborts the handshake: the next layer is closed, and the operation completes with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.read`, `readSome` and `nextMessage`, and of `Message.bytes` and `text`. */
export interface ReadOptions {
  /**
   * Aborts the read with `core.aborted`. No data is lost, the next read gets it; but `bytes` and `text` drop the rest
   * of their message.
   */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.send`. */
export interface SendOptions {
  /** The kind of message that bytes are sent as; "text" is for valid UTF-8, which is not checked. Default "binary". */
  kind?: "text" | "binary" | undefined;
  /** Whether the message is compressed, if compression was negotiated. Default true. */
  compress?: boolean | undefined;
}

/** Options of `Stream.write`. */
export interface WriteOptions extends SendOptions {
  /**
   * Aborts the write with `core.aborted`. A message of which nothing has been sent is withdrawn. One that a Blob or an
   * iterable is still giving is cut: its source is stopped, and the connection closes with `abortCode`, since half a
   * message is none and nothing can follow it. One whose bytes are all in memory is sent whole.
   */
  signal?: AbortSignal | undefined;
  /** The close code if the signal cuts the message: one that can be sent. Default 1011. */
  abortCode?: number | undefined;
}

/** Options of `Stream.writeSome`. */
export interface WriteSomeOptions extends SendOptions {
  /** Aborts the wait with `core.aborted`. The part is sent. */
  signal?: AbortSignal | undefined;
}

/** Options of `Stream.ping` and `Stream.pong`. */
export interface ControlOptions {
  /** Aborts the wait with `core.aborted`. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link prepare}. */
export interface PrepareOptions extends SendOptions {}

/** Options of `Stream.close`. */
export interface CloseOptions {
  /**
   * The close code. Default 1000. 1000 to 1003, 1007 to 1014 and 3000 to 4999 can be sent; 1005 sends a close frame
   * without a code.
   */
  code?: number | undefined;
  /** The reason, at most 123 bytes of UTF-8. Default empty. */
  reason?: string | undefined;
  /** Terminates the connection when it aborts, so that the close completes without the peer. */
  signal?: AbortSignal | undefined;
}
