import type { ServalError } from "./error.ts";

/** The side of a connection that a stream is: it decides which side masks, and which ends first. */
export type Role = "client" | "server";

/** The address of the other side: an address and port, or the path of a Unix socket. */
export interface Peer {
  /** The IP address; an IPv4-mapped one, `::ffff:192.0.2.1`, is given as `192.0.2.1`. */
  readonly address?: string;
  /** The port. */
  readonly port?: number;
  readonly family?: "IPv4" | "IPv6";
  /** The path of the Unix socket, if it is one. */
  readonly unix?: string;
}

/** Receives the outcome of {@link ByteStream.readSome}: an error, bytes, or neither at end of stream. */
export type ReadHandler = (error: ServalError | undefined, bytes: Uint8Array | undefined) => void;

/** Receives the outcome of {@link ByteStream.writeSome}: how many bytes were taken, also with an error. */
export type WriteHandler = (error: ServalError | undefined, written: number) => void;

/** Receives the outcome of {@link ByteStream.shutdown}. */
export type ShutdownHandler = (error: ServalError | undefined) => void;

/** Receives the outcome of {@link ByteStream.watch}: the read side's failure, or undefined at its end. */
export type WatchHandler = (error: ServalError | undefined) => void;

/**
 * A full-duplex stream of bytes. Every layer is one, and stands on one.
 *
 * - A handler runs exactly once, and never inside the call that it was passed to. The one exception is a watch's
 *   handler: it does not run if the watch is over before there was anything to report.
 * - At most one read, and one write or shutdown, are in flight. Starting a second throws `core.operation_pending`
 *   without affecting the first. `close` and `reset` are always allowed.
 * - While no read is in flight, the transport is paused; this is the only receive back-pressure.
 * - End of stream on the read side leaves the write side open, and the other way round.
 * - Operations on a closed stream complete with `core.aborted`.
 * - A handler may run in any async context (`AsyncLocalStorage`), such as that of a socket's callbacks; the caller's
 *   would cost an object for each read and write. Composed operations, and code that serves a connection, enter their
 *   own.
 */
export interface ByteStream {
  /**
   * Starts one read. The handler gets at least one byte, or undefined at end of stream. The bytes are borrowed: they
   * must not be changed, nor used after the handler returns. To keep them, copy them with `new Uint8Array(bytes)`; they
   * may be a `Buffer`, whose `slice` is no copy.
   */
  readSome(handler: ReadHandler): void;

  /**
   * Starts one write of at least one byte, from one buffer or a list; reports how many bytes were taken, at least one
   * without an error. No buffer may change until the handler runs; then they are free again.
   */
  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void;

  /**
   * Ends the write side alone: the peer reads everything written, then the end of the stream. No write may be in
   * flight; a read or watch may be, and goes on. Later writes complete with `core.write_ended`, a later shutdown
   * without an error. It completes when the transport has taken the end, which does not mean that the peer has read it.
   */
  shutdown(handler: ShutdownHandler): void;

  /**
   * Reports, once, the end (without an error) or the failure of the read side while nothing reads. It takes bytes that
   * arrive meanwhile, for the next {@link readSome}: 16 KiB, and the rest of the read that exceeds this; then the
   * transport is paused. From then on it sees only what the transport reports of a paused stream: no end, and often no
   * reset either.
   *
   * No read may be in flight. The next {@link readSome} ends the watch, and so does another `watch`; then the earlier
   * handler does not run. So a stream can be handed over while it is watched. Closing the stream completes the watch
   * with `core.aborted`, like other operations. The next read also gets an end or failure that a watch has reported.
   *
   * After a read has got the end, a watch tells whether it was one: Node.js reports a reset that comes together with
   * the last bytes as an end. Ask where the end alone shows that data is whole.
   */
  watch(handler: WatchHandler): void;

  /** Ends both directions now. Operations in flight complete with `core.aborted`. Idempotent. */
  close(): void;

  /**
   * Closes so that the peer sees a failure instead of an end, and data that was cut does not look complete: TCP sends
   * RST, TLS sends no `close_notify`, a layer resets the next one. A transport that can't show a failure just closes.
   */
  reset(): void;

  /** The layer below, if there is one. */
  readonly nextLayer?: ByteStream;

  /** The address of the other side, if it is known. */
  readonly peer?: Peer | undefined;
}

/** The lowest of the layers below a stream: the transport. */
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

/** How systems write the IPv4-mapped address of a client that came by IPv4 to a socket of both families. */
const mapped = "::ffff:";

/**
 * A peer by its IP address. An IPv4-mapped address (RFC 4291 section 2.5.5.2), in the form that systems use, becomes the
 * IPv4 address that it stands for, so that an address is the same whatever a server listens on.
 */
export function internetPeer(address: string, port: number, family: string | undefined): Peer {
  if (address.startsWith(mapped) && address.includes(".")) {
    return { address: address.slice(mapped.length), port, family: "IPv4" };
  }
  return { address, port, family: family === "IPv6" ? "IPv6" : "IPv4" };
}
