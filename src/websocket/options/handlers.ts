import type { CloseInfo, ServalError } from "../../core/index.ts";

/** A kind of control frame. */
export type ControlKind = "close" | "ping" | "pong";

/** A received message: a string for text, bytes for binary (and for text with `text: "bytes"`). */
export type MessageData = string | Uint8Array;

/**
 * The handlers of a stream, `Ws`, called one at a time; `Failed` is a stream that may have failed before it opened. If
 * a handler returns a promise, the next message waits for it (the option `concurrency` allows more). If it throws or
 * rejects, the connection closes with 1011, and `error` gets the failure.
 */
export interface HandlersOf<Ws = unknown, Failed = Ws> {
  /** The stream is open. The first message waits for a returned promise. */
  open?: ((ws: Ws) => unknown) | undefined;
  /** A message arrived. A stream with this handler can't be read from. */
  message?: ((ws: Ws, message: MessageData) => unknown) | undefined;
  /** There is room again, after `send` returned false. */
  drain?: ((ws: Ws) => unknown) | undefined;
  /**
   * A control frame arrived; the handler may keep its payload. The stream answers pings and closes itself. Messages do not
   * wait for a returned promise, but while 16 of them are pending, nothing more is received.
   */
  control?: ((ws: Ws, kind: ControlKind, payload: Uint8Array) => unknown) | undefined;
  /** The connection has ended and the transport is closed. No handler runs after this one. */
  close?: ((ws: Ws, info: CloseInfo) => unknown) | undefined;
  /** The connection failed: by the peer's violation, the transport, a limit, or a handler. `close` follows. */
  error?: ((ws: Failed, error: ServalError) => unknown) | undefined;
}
