import type { Socket } from "node:net";
import { coreError, type ByteStream, type Peer, type ServalError } from "../../core/index.ts";

/** The method of a {@link SocketStream} that gives its socket away. Its presence tells such a stream from others. */
export const release: unique symbol = Symbol("release");

/**
 * A {@link ByteStream} over a TCP connection or a Unix socket. Made by `listen` or `connect`; for other sockets use
 * `fromDuplex`.
 *
 * Closing while a write is in flight resets a TCP connection, since half a write must not look like an orderly end; a
 * reset also frees the kernel's memory.
 */
export interface SocketStream extends ByteStream {
  /** The peer's address, taken when the connection was made. */
  readonly peer: Peer;
  /** How many bytes have been received. */
  readonly bytesRead: number;
  /** How many bytes have been passed to the operating system. */
  readonly bytesWritten: number;
  /**
   * Gives a socket of Node.js to a layer that uses it instead of this stream from now on, except for `close`. Undefined if
   * something has been read or is in flight. @internal
   */
  [release](): Socket | undefined;
  /** Finds out whether the connection has been reset. @internal */
  probe(handler: (error: ServalError | undefined) => void): void;
}

/** Whether a layer is a {@link SocketStream}. */
export function isSocketStream(layer: ByteStream): layer is SocketStream {
  return release in layer;
}

/** The error of an operation on a stream that has been released. */
export function givenAway(): ServalError {
  return coreError("core.operation_pending", { message: "The socket now belongs to a TLS stream" });
}
