import type { Socket, SocketConnectOpts } from "node:net";
import { nextTick } from "node:process";
import { coreError, transportError, type Peer } from "../../core/index.ts";
import { DuplexStream, peerOf } from "../../core/internal.ts";
import { hasOnread, makeSocket, onread, type SocketOptions } from "./onread.ts";
import { lend, takenBack } from "./read-block.ts";
import { givenAway, release, type SocketStream } from "./socket-stream.ts";
import type { StreamHandle } from "./stream-handle.ts";

/** How a socket of Node.js is read: into the shared block, or by `'data'` events, which always work. */
export type ReadWay = "onread" | "data";

/** The property of a socket that has its stream, so that all sockets share their listeners. */
const stream = Symbol("stream");

type StreamSocket = Socket & { [stream]?: NodeSocketStream };

/**
 * A {@link SocketStream} over a socket of Node.js: where its handle can't be driven directly, and where other programs
 * are to see a socket.
 *
 * Reading stops if no further read was started by the time the event loop turns. A consumer that always starts one
 * costs no system call for that.
 */
export class NodeSocketStream extends DuplexStream<Socket> implements SocketStream {
  readonly #way: ReadWay;
  #peer: Peer = {};
  /** Called when the socket is closed. */
  #closed: (() => void) | undefined;
  #checking = false;
  #released = false;

  /** @internal */
  private constructor(socket: Socket, way: ReadWay, flowing: boolean) {
    super(socket, { socket: true, dataEvents: way === "data", flowing });
    this.#way = way;
  }

  static readonly #onError = function (this: StreamSocket, cause: Error): void {
    this[stream]!.failed(transportError(cause));
  };

  static readonly #onData = function (this: StreamSocket, chunk: unknown): void {
    this[stream]!.receive(chunk);
  };

  static readonly #onEnd = function (this: StreamSocket): void {
    this[stream]!.foundEnd();
  };

  static readonly #onClose = function (this: StreamSocket): void {
    const self = this[stream]!;
    self.lost();
    self.#closed?.();
  };

  /** A stream over an accepted connection that no socket has been built from yet. @internal */
  static fromHandle(handle: StreamHandle, unix: string | undefined, closed: () => void): NodeSocketStream {
    // One function for each socket; a second one, for a second place, would cost memory.
    const received = (size: number): true => {
      made.deliver(lend(size));
      takenBack(size);
      return true;
    };
    // It reads from construction on, but nothing arrives before this turn of the event loop ends.
    const made: NodeSocketStream = new NodeSocketStream(
      makeSocket({ handle, onread: onread(received) }),
      "onread",
      true,
    );
    made.#connected(unix, closed);
    return made;
  }

  /** The connection handler has returned: pauses, unless it has started a read or does so soon. @internal */
  handedOver(): void {
    if (!this.wanting) this.idle();
  }

  /** A stream over a connected, paused socket, read by `'data'` events. @internal */
  static fromSocket(socket: Socket, unix: string | undefined, closed: () => void): NodeSocketStream {
    const made = new NodeSocketStream(socket, "data", false);
    made.#connected(unix, closed);
    return made;
  }

  /** Starts to connect; `connected` gets the outcome. @internal */
  static connecting(
    target: SocketConnectOpts,
    way: ReadWay,
    connected: (error: Error | undefined) => void,
  ): NodeSocketStream {
    const made = NodeSocketStream.#unconnected(way);
    const socket = made.duplex;
    socket.once("error", connected);
    socket.once("connect", () => {
      socket.off("error", connected);
      made.#connected("path" in target ? target.path : undefined, undefined);
      connected(undefined);
    });
    socket.connect(target);
    return made;
  }

  /** A function of its own, since what the callback of reads can see lives as long as the connection. */
  static #unconnected(way: ReadWay): NodeSocketStream {
    const options: SocketOptions = {};
    const reads = way === "onread" && hasOnread();
    if (reads) {
      options.onread = onread((size) => {
        made.deliver(lend(size));
        takenBack(size);
        return true;
      });
    }
    const made: NodeSocketStream = new NodeSocketStream(makeSocket(options), reads ? "onread" : "data", false);
    return made;
  }

  /** The peer's address, taken when the connection was made. */
  override get peer(): Peer {
    return this.#peer;
  }

  /** How many bytes have been received. */
  get bytesRead(): number {
    return this.duplex.bytesRead;
  }

  /** How many bytes have been passed to the operating system. */
  get bytesWritten(): number {
    return this.duplex.bytesWritten;
  }

  /**
   * Gives the socket to a layer that uses it instead of this stream from now on, except for `close`. Undefined if
   * something has been read or is in flight. @internal
   */
  [release](): Socket | undefined {
    const socket = this.duplex;
    if (this.#released || this.isClosed || this.wanting || this.writing || socket.destroyed) return undefined;
    if (socket.bytesRead > 0 || socket.readableEnded) return undefined;
    this.#released = true;
    this.failed(givenAway());
    // The new owner may close it too.
    socket.on("close", () => this.close());
    return socket;
  }

  protected override listen(dataEvents: boolean): void {
    const socket: StreamSocket = this.duplex;
    socket[stream] = this;
    socket.on("error", NodeSocketStream.#onError);
    if (dataEvents) socket.on("data", NodeSocketStream.#onData);
    socket.on("end", NodeSocketStream.#onEnd);
    socket.on("close", NodeSocketStream.#onClose);
  }

  protected override idle(): void {
    if (this.#released) return;
    if (this.#way === "data") {
      super.idle();
    } else if (!this.#checking) {
      this.#checking = true;
      // A tick from a microtask runs after all microtasks, a tick from here before them; both run before the next read.
      queueMicrotask(() => nextTick(NodeSocketStream.#pauseUnlessWanted, this));
    }
  }

  protected override destroy(reset: boolean): void {
    // The new owner gets an error that says why. Node has no way to pass one with a reset.
    if (this.#released && !reset) this.duplex.destroy(coreError("core.aborted"));
    else super.destroy(reset || this.writing);
  }

  #connected(unix: string | undefined, closed: (() => void) | undefined): void {
    const socket = this.duplex;
    this.#closed = closed;
    // Taken now, since a socket does not know it after a reset.
    this.#peer = unix === undefined ? (peerOf(socket) ?? {}) : { unix };
    socket.setNoDelay(true);
  }

  static readonly #pauseUnlessWanted = (self: NodeSocketStream): void => {
    self.#checking = false;
    if (!self.wanting && !self.#released) self.#pause();
  };

  #pause(): void {
    super.idle();
  }
}
