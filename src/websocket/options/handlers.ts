import type { CloseInfo, ServalError } from "../../core/index.ts";

/** A kind of control frame. */
export type ControlKind = "close" | "ping" | "pong";

/** A received message: a string for text, bytes for binary (and for text with `text: "bytes"`). */
export type MessageData = string | Uint8Array;

/**
 * What a stream, `Ws`, calls, one at a time. A handler that returns a promise is awaited before the next message
 * (the option `concurrency` raises that). One that throws or rejects closes the connection with 1011 and is told to `error`.
 */
export interface HandlersOf<Ws = unknown> {
  /** The stream is open. A promise is awaited before the first message. */
  open?: ((ws: Ws) => unknown) | undefined;
  /** A message arrived. Having this handler is what makes a stream a pushed one. */
  message?: ((ws: Ws, message: MessageData) => unknown) | undefined;
  /** There is room again after `send` said that there is none. */
  drain?: ((ws: Ws) => unknown) | undefined;
  /**
   * A control frame arrived, with its payload, which is the handler's to keep. The stream answers pings and closes by
   * itself. A promise is not awaited.
   */
  control?: ((ws: Ws, kind: ControlKind, payload: Uint8Array) => unknown) | undefined;
  /** The connection has ended and the transport is closed. The last handler to run. */
  close?: ((ws: Ws, info: CloseInfo) => unknown) | undefined;
  /** Why a connection fails: the peer's violation, the transport, a limit, a handler. `close` follows. */
  error?: ((ws: Ws, error: ServalError) => unknown) | undefined;
}
