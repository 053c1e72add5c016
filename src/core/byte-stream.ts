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

/** Receives the outcome of {@link ByteStream.shutdown}. */
export type ShutdownHandler = (error: ServalError | undefined) => void;

/** Receives what {@link ByteStream.watch} saw: the read side's failure, or undefined at its end. */
export type WatchHandler = (error: ServalError | undefined) => void;

/**
 * A full-duplex stream of bytes: every layer is one, and stands on one.
 *
 * - A handler runs exactly once, and never inside the call that it was given to. The one exception is a watch's: it does
 *   not run if the watch is over before there was anything to tell.
 * - At most one read, and one write or shutdown, are in flight. Starting a second throws `core.operation_pending` and does
 *   the first no harm. `close` and `reset` are always allowed.
 * - While no read is in flight the transport is paused: this is the whole of receive back-pressure.
 * - End of stream on the read side leaves the write side open, and the other way round.
 * - Operations on a closed stream complete with `core.aborted`.
 * - A handler may run in any async context (`AsyncLocalStorage`), such as the one that a socket's callbacks have: an
 *   object for each read and write would be the price of the caller's. Composed operations, and what serves a connection,
 *   enter their own.
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
   * Ends the write side alone: the peer reads all that was written, then the end of the stream. No write may be in
   * flight; a read or watch may, and goes on. Later writes complete with `core.write_ended`, a later shutdown without an
   * error. It completes when the transport has taken the end, which does not say that the peer has read it.
   */
  shutdown(handler: ShutdownHandler): void;

  /**
   * Tells once of the end (without an error) or the failure of the read side, while nobody reads. It takes bytes that come
   * meanwhile, for the next {@link readSome}: 16 KiB, or what the read that passes this brings; then the transport is paused.
   * From then on it sees only what the transport tells of a paused stream: no end, and often no reset either.
   *
   * No read may be in flight. The next {@link readSome} ends the watch, and so does another `watch`; the handler of the
   * former does not run then. So a stream can be handed over while it is watched. Closing the stream tells the watch
   * `core.aborted`, as it does operations. An end or failure that a watch has told of is told to the next read too.
   */
  watch(handler: WatchHandler): void;

  /** Ends both directions now. What is in flight completes with `core.aborted`. Idempotent. */
  close(): void;

  /**
   * Closes, and the peer sees a failure instead of an end: TCP sends RST, TLS sends no `close_notify`, a layer resets the
   * next one. A transport that can't show a failure closes. So what was cut off does not look complete.
   */
  reset(): void;

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
