import { createHash } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { PerMessageDeflate } from "./permessage-deflate.ts";

/** The states of a WebSocket, as numbers (the WebSocket standard, `readyState`). */
export const readyState = {
  /** The opening handshake is in progress. */
  connecting: 0,
  /** Messages can be sent. */
  open: 1,
  /** The closing handshake is in progress. */
  closing: 2,
  /** The connection is closed, or never came about. */
  closed: 3,
} as const;

/** One of {@link readyState}. */
export type ReadyState = (typeof readyState)[keyof typeof readyState];

/** Options of a connection, of either role. Sizes are in bytes. */
export interface ConnectionOptions {
  /** Whether several events may come from one read. If not, each has a turn of the event loop. Default true. */
  allowSynchronousEvents?: boolean | undefined;
  /** Whether pings are answered. Default true. */
  autoPong?: boolean | undefined;
  /** How long the closing handshake may take, in milliseconds; then the socket is destroyed. Default 30 s. */
  closeTimeout?: number | undefined;
  /** Fills in the masking key of a client's frame. Default: random bytes. */
  generateMask?: ((mask: Buffer) => void) | undefined;
  /**
   * Beyond `ws`: more bytes that wait to be sent, after a `send`, end the connection, since its peer does not read. Default
   * Infinity.
   */
  maxBufferedAmount?: number | undefined;
  /**
   * Beyond `ws`: a peer from which nothing came for half of `idle` milliseconds gets a ping, and after all of it the
   * connection ends. Default: none.
   */
  timeouts?: { readonly idle?: number | undefined } | undefined;
  /** Without effect: a message that has not arrived whole is kept in one piece, however many reads it came in. */
  maxBufferedChunks?: number | undefined;
  /** The most frames of a message; 0 is no limit. Default 16,384. */
  maxFragments?: number | undefined;
  /** The largest message, also after inflating; 0 is no limit. Default 100 MiB. */
  maxPayload?: number | undefined;
  /** The most pongs that may wait to be written; one more ends the connection. 0 is no limit. Default 60. */
  maxPendingAutoPongs?: number | undefined;
  /** Whether text that is not valid UTF-8 is accepted. Default false. */
  skipUTF8Validation?: boolean | undefined;
}

/** The options of a connection that either role has by default. */
export const connectionDefaults: Required<Omit<ConnectionOptions, "generateMask" | "maxBufferedAmount" | "timeouts">> =
  {
    allowSynchronousEvents: true,
    autoPong: true,
    closeTimeout: 30_000,
    maxBufferedChunks: 256 * 1024,
    maxFragments: 16 * 1024,
    maxPayload: 100 * 1024 * 1024,
    maxPendingAutoPongs: 60,
    skipUTF8Validation: false,
  };

/** What the opening handshake needs of the WebSocket that it opens. */
export interface OpeningWebSocket extends EventEmitter {
  /** The attribute `readyState`. */
  _readyState: ReadyState;
  /** Whether `error` was emitted: it is at most once. */
  _errorEmitted: boolean;
  /** The attribute `url`. */
  _url: string | undefined;
  /** The attribute `protocol`. */
  _protocol: string;
  /** The agreed extensions by name. */
  _extensions: Record<string, PerMessageDeflate>;
  /** The client's request, until it is answered. */
  _req: ClientRequest | null;
  /** How many redirects were followed. */
  _redirects: number;
  /** The attribute `readyState`. */
  readonly readyState: ReadyState;
  /** Takes the socket of a handshake that has succeeded, and what was read after it. */
  setSocket(socket: Duplex, head: Buffer, options: ConnectionOptions): void;
  /** Emits `close`. */
  emitClose(): void;
}

/** RFC 6455 section 1.3: what a server appends to the key, to prove that it speaks WebSocket. */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The value of Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). */
export const acceptOf = (key: string): string =>
  createHash("sha1")
    .update(key + guid)
    .digest("base64");

/** Requests that `abortHandshake` has aborted: the error that follows is not reported again. */
const aborted = new WeakSet<ClientRequest>();

/** Whether {@link abortHandshake} has aborted a request. */
export const isAborted = (request: ClientRequest): boolean => aborted.has(request);

/** Emits `error` and `close` of a WebSocket that never opened. */
export function emitErrorAndClose(ws: OpeningWebSocket, error: Error): void {
  ws._readyState = readyState.closing;
  ws._errorEmitted = true;
  ws.emit("error", error);
  ws.emitClose();
}

/** Ends a client's opening handshake: `error` with this message comes later, and `close` after it. */
export function abortHandshake(ws: OpeningWebSocket, stream: ClientRequest | Duplex, message: string): void {
  ws._readyState = readyState.closing;
  const error = new Error(message);
  Error.captureStackTrace(error, abortHandshake);
  if ("setHeader" in stream) {
    aborted.add(stream);
    stream.destroy();
    // A request that is complete leaves its socket alone.
    if (stream.socket?.destroyed === false) stream.socket.destroy();
    process.nextTick(emitErrorAndClose, ws, error);
    return;
  }
  stream.destroy(error);
  stream.once("error", (cause) => ws.emit("error", cause));
  stream.once("close", () => ws.emitClose());
}
