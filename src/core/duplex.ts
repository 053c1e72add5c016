import { internetPeer, type ByteStream, type Peer } from "./byte-stream.ts";
import { bytesOf, copyOf, notBytes } from "./bytes.ts";
import { show } from "./check-options.ts";
import type { ServalError } from "./error.ts";
import { coreError, invalidArgument, transportError } from "./errors.ts";
import { TransportStream } from "./transport-stream.ts";
import { cost, costOf, turnBudget } from "./turn-budget.ts";

/**
 * The part of a Node `Duplex` (a socket, a TLS socket, a pipe, a PassThrough pair) that is used. It must carry bytes,
 * not objects or decoded text.
 */
export interface DuplexLike {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of EventEmitter
  on(event: string, listener: (...values: any[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
  end(): unknown;
  destroy(): unknown;
  /** Closes so that the peer sees a failure, as Node's TCP sockets do; `reset` needs it. */
  resetAndDestroy?(): unknown;
  cork?(): void;
  uncork?(): void;
  /** Set to true, so that the write side stays open when the read side ends. */
  allowHalfOpen?: boolean;
  /** The peer's address, if the duplex is one of Node's sockets. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly connecting?: boolean;
  readonly destroyed?: boolean;
  readonly errored?: Error | null;
  readonly readableEnded?: boolean;
  readonly readableEncoding?: string | null;
  readonly readableObjectMode?: boolean;
  readonly writableEnded?: boolean;
  readonly writableFinished?: boolean;
  readonly writableObjectMode?: boolean;
}

/** How a {@link DuplexStream} uses its duplex. */
export interface DuplexUse {
  /**
   * Whether the duplex is a socket, which does not use a chunk after the callback of its write; then chunks are written
   * without a copy. Other duplexes may keep chunks (a PassThrough hands them to its reader) and get copies. Default
   * false.
   */
  readonly socket?: boolean;
  /** Whether bytes arrive as `'data'` events. If not, the derived class calls `deliver`. Default true. */
  readonly dataEvents?: boolean;
  /** Whether the duplex is already reading, and continues until it is found idle. Default false. */
  readonly flowing?: boolean;
}

/** The most bytes that are copied for one write; a larger one takes several. */
const mostCopied = 256 * 1024;

/** A {@link ByteStream} over a Node `Duplex`. */
export class DuplexStream<Kind extends DuplexLike = DuplexLike> extends TransportStream {
  protected readonly duplex: Kind;
  readonly #socket: boolean;
  readonly #peer: Peer | undefined;
  #flowing: boolean;
  /** Bytes of the write in flight. */
  #length = 0;
  /** Of `TurnMember` and `TurnWaiter`, which the public types do not name. @internal */
  spent = 0;
  /** @internal */
  spentIn = 0;

  constructor(duplex: Kind, use: DuplexUse = {}) {
    super();
    if (duplex.readableObjectMode === true || duplex.writableObjectMode === true || duplex.readableEncoding != null) {
      throw coreError("core.invalid_argument", { message: "The duplex must carry bytes: no objectMode, no encoding" });
    }
    this.duplex = duplex;
    this.#socket = use.socket ?? false;
    this.#flowing = use.flowing ?? false;
    // Taken now, since it is unknown after a reset. The library's own sockets already have it, and asking costs a
    // system call.
    if (!this.#socket) this.#peer = peerOf(duplex);
    // The listeners stay for good, since an error after the close still needs one.
    this.listen(use.dataEvents ?? true);
    if (duplex.destroyed === true) {
      this.failed(gone(duplex));
      return;
    }
    duplex.allowHalfOpen = true;
    if (!this.#flowing) duplex.pause();
    if (duplex.readableEnded === true) this.readEnded();
  }

  /** The peer's address, if the duplex had it when it was passed here. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Adds the listeners, with `'data'` if bytes arrive that way. Called once, in the constructor. */
  protected listen(dataEvents: boolean): void {
    const { duplex } = this;
    duplex.on("error", (cause) => this.failed(transportError(cause)));
    if (dataEvents) duplex.on("data", (chunk) => this.receive(chunk));
    duplex.on("end", () => this.foundEnd());
    duplex.on("close", () => this.lost());
  }

  /**
   * The duplex has emitted its end. Node.js also emits an end if a reset came together with the last bytes, and then
   * listens no more, so nothing else would tell a watch.
   */
  protected foundEnd(): void {
    if (this.isWatched) this.#probeEnd();
    else this.readEnded();
  }

  /** A write in flight would delay it, for good if the peer takes nothing; after a reset that write fails by itself. */
  protected override checkEnd(): void {
    if (this.writing) this.readEnded();
    else this.#probeEnd();
  }

  #probeEnd(): void {
    this.probe((error) => (error === undefined ? this.readEnded() : this.failed(error)));
  }

  /** Finds out whether the connection has been reset, by an empty write: that of a socket fails then. @internal */
  probe(handler: (error: ServalError | undefined) => void): void {
    const { duplex } = this;
    const isSocket = this.#socket || duplex.resetAndDestroy !== undefined;
    if (!isSocket || duplex.writableEnded === true || duplex.destroyed === true) handler(undefined);
    else duplex.write(nothing, (error) => handler(error == null ? undefined : transportError(error)));
  }

  /** The duplex has been destroyed. */
  protected lost(): void {
    if (!this.isClosed) this.failed(gone(this.duplex));
  }

  protected override pull(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    this.duplex.resume();
  }

  protected override idle(): void {
    if (!this.#flowing) return;
    this.#flowing = false;
    this.duplex.pause();
  }

  protected override push(buffers: Uint8Array | readonly Uint8Array[], length: number): void {
    const { duplex } = this;
    // Checked first, since a write after an end from elsewhere would destroy the read side too.
    if (duplex.writableEnded === true) {
      this.writeEnded();
      return;
    }
    this.#length = this.#socket ? length : Math.min(length, mostCopied);
    const written = (error?: Error | null): void => this.#written(error);
    if (!this.#socket) duplex.write(copyOf(buffers, this.#length), written);
    else if (buffers instanceof Uint8Array) duplex.write(buffers, written);
    else this.#writeList(buffers, written);
  }

  protected override finish(): void {
    const { duplex } = this;
    if (duplex.writableFinished === true) {
      this.writeEnded();
      return;
    }
    duplex.on("finish", () => this.writeEnded());
    duplex.end();
  }

  protected override destroy(reset: boolean): void {
    const { duplex } = this;
    // libuv does not reset a socket that is being shut down; then the peer sees an end, as the shutdown asked.
    if (reset && !this.isShuttingDown && canReset(duplex)) resetOrDestroy(duplex);
    else duplex.destroy();
  }

  #writeList(buffers: readonly Uint8Array[], written: (error?: Error | null) => void): void {
    const { duplex } = this;
    const last = buffers.length - 1;
    duplex.cork?.();
    for (let index = 0; index < last; index++) duplex.write(buffers[index]!, ignore);
    duplex.write(buffers[last]!, written);
    duplex.uncork?.();
  }

  #written(error: Error | null | undefined): void {
    const { duplex } = this;
    // If an earlier buffer of a list failed, the last one's error only says that the duplex is gone.
    if (error != null) this.failed(transportError(duplex.errored ?? error));
    // Node 20 calls back without an error for a write that the socket's destruction cancelled.
    else if (duplex.destroyed === true) this.failed(gone(duplex));
    // Node.js completes a write that the kernel takes at once before the loop turns, so a writer to a fast peer would starve
    // everything else.
    else if (turnBudget.spend(this, cost.write + costOf(this.#length, cost.written))) turnBudget.wait(this);
    else this.wrote(this.#length);
  }

  /** The turn in which the write in flight may complete has come. @internal */
  takeTurn(): void {
    this.wrote(this.#length);
  }

  protected receive(chunk: unknown): void {
    const bytes = bytesOf(chunk);
    if (bytes === undefined) this.failed(notBytes("duplex", chunk));
    else if (bytes.length > 0) this.deliver(bytes);
  }
}

/**
 * A {@link ByteStream} over any Node `Duplex`: a `net.Socket`, a `tls.TLSSocket`, the socket of a `node:http` upgrade.
 * The stream owns the duplex from now on; bytes that it already holds are read first. Closing the stream destroys it.
 *
 * Errors: `core.connection_reset` and `core.transport` have the duplex's own error as their cause. Throws
 * `core.invalid_argument` for a duplex in object mode or with an encoding, and for anything else.
 */
export function fromDuplex(duplex: DuplexLike): ByteStream {
  const { pause, write } = (duplex ?? {}) as Partial<DuplexLike>;
  if (typeof pause !== "function" || typeof write !== "function") {
    throw invalidArgument(`fromDuplex takes a Duplex of Node.js, such as a socket, not ${show(duplex)}`);
  }
  return new DuplexStream(duplex);
}

/** The peer of a socket of Node.js; undefined for any other duplex, and once it is destroyed. */
export function peerOf({ remoteAddress, remotePort, remoteFamily }: DuplexLike): Peer | undefined {
  if (typeof remoteAddress !== "string" || typeof remotePort !== "number") return undefined;
  return internetPeer(remoteAddress, remotePort, remoteFamily);
}

function gone(duplex: DuplexLike): ServalError {
  if (duplex.errored != null) return transportError(duplex.errored);
  return coreError("core.transport", { message: "The duplex was destroyed before its end" });
}

function canReset(duplex: DuplexLike): boolean {
  // It may also have been ended elsewhere, and then Node.js would leave the handle open.
  if (duplex.writableEnded === true && duplex.writableFinished !== true) return false;
  return duplex.resetAndDestroy !== undefined && duplex.connecting !== true && duplex.destroyed !== true;
}

function resetOrDestroy(duplex: DuplexLike): void {
  try {
    duplex.resetAndDestroy!();
  } catch {
    // Node has the method on all its sockets, but only TCP sockets can do it.
    duplex.destroy();
  }
}

const nothing = new Uint8Array(0);

function ignore(): void {}
