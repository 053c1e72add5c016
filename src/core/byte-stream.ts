import type { ServalError } from "./error.ts";

/** Which side of a connection a stream is: it decides who masks, and who ends first. */
export type Role = "client" | "server";

/** Where the other side of a stream is: an address and port, or the path of a Unix socket. */
export interface Peer {
  /** The IP address. */
  readonly address?: string;
  /** The port. */
  readonly port?: number;
  readonly family?: "IPv4" | "IPv6";
  /** The path of the Unix socket, where it is one. */
  readonly unix?: string;
}

/** Receives the outcome of {@link ByteStream.readSome}: an error, bytes, or neither at end of stream. */
export type ReadHandler = (error: ServalError | undefined, bytes: Uint8Array | undefined) => void;

/** Receives the outcome of {@link ByteStream.writeSome}: how many bytes were taken, also with an error. */
export type WriteHandler = (error: ServalError | undefined, written: number) => void;

/** Receives the outcome of {@link ByteStream.teardown}. */
export type TeardownHandler = (error: ServalError | undefined) => void;

/**
 * A full-duplex stream of bytes: every layer is one, and stands on one.
 *
 * - A handler runs exactly once, and never inside the call that it was given to.
 * - At most one read and one write are in flight. Starting a second throws `core.operation_pending` and does the first
 *   no harm. `close` is always allowed.
 * - While no read is in flight the transport is paused: this is the whole of receive back-pressure.
 * - End of stream on the read side leaves the write side open.
 * - Operations on a closed stream complete with `core.aborted`.
 */
export interface ByteStream {
  /**
   * Starts one read. The handler gets at least one byte, or undefined at end of stream. The bytes are borrowed: they
   * may be looked at, not changed, and only until the handler returns; then they belong to someone else. To keep them,
   * copy them with `new Uint8Array(bytes)`: they may be a `Buffer`, whose `slice` is no copy.
   */
  readSome(handler: ReadHandler): void;

  /**
   * Starts one write of at least one byte, from one buffer or a list of them; reports how many were taken, at least
   * one where there is no error. Every buffer must stay untouched until the handler runs, and is free again then.
   */
  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void;

  /**
   * Ends gracefully; no read or write may be in flight. A server ends its write side, then reads and drops what comes
   * up to the peer's end; a client reads to the peer's end first, then ends its own (RFC 6455 section 7.1.1: the server
   * is to end first). Then the stream is closed. It has no deadline of its own: the caller owns that, and ends it with
   * `close`.
   */
  teardown(role: Role, handler: TeardownHandler): void;

  /** Ends both directions now. Pending operations complete with `core.aborted`. Idempotent. */
  close(): void;

  /** The layer below, where there is one. */
  readonly nextLayer?: ByteStream;

  /** Where the other side is, where that is known. */
  readonly peer?: Peer | undefined;
}

/** The last of the layers below a stream: the transport. */
export function lowestLayer(stream: ByteStream): ByteStream {
  let lowest = stream;
  while (lowest.nextLayer !== undefined) lowest = lowest.nextLayer;
  return lowest;
}

/** The sum of the lengths of a buffer or a list of buffers, in bytes. */
export function byteLength(buffers: Uint8Array | readonly Uint8Array[]): number {
  if (buffers instanceof Uint8Array) return buffers.length;
  let length = 0;
  for (const buffer of buffers) length += buffer.length;
  return length;
}
