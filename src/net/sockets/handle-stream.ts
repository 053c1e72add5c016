import type { Socket } from "node:net";
import { nextTick } from "node:process";
import { coreError, transportError, type Peer, type ServalError } from "../../core/index.ts";
import { cost, internetPeer, TransportStream, turnBudget } from "../../core/internal.ts";
import { makeSocket } from "./onread.ts";
import { packIPv4, unpackIPv4 } from "./packed-address.ts";
import { lend, readBlock, takenBack } from "./read-block.ts";
import { givenAway, release, type SocketStream } from "./socket-stream.ts";
import {
  endOfFile,
  notConnected,
  resetError,
  streamWrap,
  systemError,
  type HandleAddress,
  type HandleRequest,
  type StreamHandle,
  type StreamWrap,
} from "./stream-handle.ts";

// What a stream is doing, as bits of one field.

/** The handle has been made ready for reads. */
const prepared = 1;
/** The handle reads. */
const reading = 2;
/** It is among those that stop reading soon unless a read is wanted. */
const stopping = 4;
/** The peer has ended. */
const readEnd = 8;
/** The end of the write side has been asked for. */
const finishing = 16;
/** The write side has ended. */
const writeEnd = 32;

/**
 * A handle that has its stream, so that all share their functions. It is in a property that Node gives each handle, and that
 * only a server's needs: one more would take 24 bytes.
 */
type OwnedHandle = StreamHandle & { onconnection?: HandleStream };

interface OwnedRequest extends HandleRequest {
  stream?: HandleStream;
  /** Kept until the system has taken them. */
  buffers?: Uint8Array | readonly Uint8Array[];
}

// Set by the first stream, since to look the binding up is a deprecation that Node.js may be told to warn of.
let WriteWrap: StreamWrap["WriteWrap"] | undefined;
let ShutdownWrap: StreamWrap["ShutdownWrap"];
let streamBaseState: StreamWrap["streamBaseState"];
let kReadBytesOrError: number;
let kLastWriteWasAsync: number;

function bind(): void {
  ({ WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streamWrap()!);
}

/** A request that no write has used: the system takes most writes at once, and then needs none. */
let spare: OwnedRequest | undefined;

/** Streams that have no read in flight, to be looked at after all microtasks. */
let idle: HandleStream[] = [];

/**
 * Streams whose write the system has taken. It completes after all microtasks, so that the replies of a consumer that awaits
 * each message of a read leave together.
 */
let taken: HandleStream[] = [];

/**
 * A {@link SocketStream} over the handle below `net.Socket`, without the socket: a connection costs about half as much, and
 * less memory.
 *
 * Reading stops if no further read was started by the time the event loop turns. A consumer that always starts one
 * costs no system call for that.
 */
export class HandleStream extends TransportStream implements SocketStream {
  /** Undefined once it is closed, or given away. */
  #handle: OwnedHandle | undefined;
  /** The socket that the handle was given to. */
  #socket: Socket | undefined;
  /** The address, or an IPv4 address and port as numbers: an object and its text would take 64 bytes more. */
  readonly #peer: Peer | number;
  readonly #port: number;
  /** Called when the handle is closed. */
  readonly #closed: (() => void) | undefined;
  #doing = 0;
  /** Bytes of the write in flight. */
  #length = 0;
  #received = 0;
  #sent = 0;
  /** Of `TurnMember` and `TurnWaiter`. @internal */
  spent = 0;
  /** @internal */
  spentIn = 0;

  /**
   * A stream over a connected handle that nothing has been read from. Without a peer, the handle is asked for it.
   * @internal
   */
  constructor(handle: StreamHandle, peer: Peer | undefined, closed: (() => void) | undefined) {
    super();
    if (WriteWrap === undefined) bind();
    this.#handle = handle;
    this.#handle.onconnection = this;
    this.#closed = closed;
    // Taken now, since the system does not know it after a reset.
    const known = peer ?? peerOf(handle);
    this.#peer =
      known.family === "IPv4" && known.address !== undefined && known.port !== undefined
        ? packIPv4(known.address)
        : known;
    this.#port = known.port ?? 0;
    handle.setNoDelay?.(true);
  }

  get peer(): Peer {
    const peer = this.#peer;
    return typeof peer === "number" ? { address: unpackIPv4(peer), port: this.#port, family: "IPv4" } : peer;
  }

  get bytesRead(): number {
    return this.#socket?.bytesRead ?? this.#received;
  }

  get bytesWritten(): number {
    return this.#socket?.bytesWritten ?? this.#sent;
  }

  /** @internal */
  [release](): Socket | undefined {
    const handle = this.#handle;
    if (handle === undefined || (this.#doing & (prepared | finishing)) !== 0 || this.writing) return undefined;
    const socket = makeSocket({ handle });
    this.#handle = undefined;
    this.#socket = socket;
    this.failed(givenAway());
    // It tells its new owner.
    socket.on("error", () => {});
    // The new owner may close it too.
    socket.on("close", () => {
      this.close();
      this.#closed?.();
    });
    return socket;
  }

  /** @internal */
  probe(handler: (error: ServalError | undefined) => void): void {
    const socket = this.#socket;
    if (socket === undefined) handler(this.#isReset() ? transportError(resetError()) : undefined);
    else if (socket.writableEnded || socket.destroyed) handler(undefined);
    else socket.write(nothing, (error) => handler(error == null ? undefined : transportError(error)));
  }

  protected override pull(): void {
    const handle = this.#handle;
    if (handle === undefined || (this.#doing & reading) !== 0) return;
    if ((this.#doing & prepared) === 0) {
      handle.onread = HandleStream.#onRead;
      handle.useUserBuffer(readBlock());
    }
    this.#doing |= prepared | reading;
    const status = handle.readStart();
    if (status < 0) this.#fail(status, "read");
  }

  protected override idle(): void {
    if ((this.#doing & (reading | stopping)) !== reading) return;
    this.#doing |= stopping;
    // A tick from a microtask runs after all microtasks, a tick from here before them; both run before the next read.
    if (idle.push(this) === 1) queueMicrotask(HandleStream.#stopSoon);
  }

  protected override push(buffers: Uint8Array | readonly Uint8Array[], length: number): void {
    const request = spare ?? (new WriteWrap!() as OwnedRequest);
    spare = undefined;
    this.#length = length;
    const handle = this.#handle!;
    const status =
      buffers instanceof Uint8Array ? handle.writeBuffer(request, buffers) : handle.writev(request, buffers, true);
    if (status < 0) {
      this.#fail(status, "write");
      return;
    }
    this.#sent += length;
    if (streamBaseState[kLastWriteWasAsync] !== 0) {
      request.stream = this;
      request.buffers = buffers;
      request.oncomplete = HandleStream.#onWritten;
      return;
    }
    spare = request;
    // The system takes most writes before the loop turns, so a writer to a fast peer would starve everything else.
    if (turnBudget.spend(this, cost.write + (length >> 10) * cost.written)) turnBudget.wait(this);
    else if (taken.push(this) === 1) nextTick(HandleStream.#completeTaken);
  }

  protected override finish(): void {
    this.#doing |= finishing;
    // The peer has ended too: then the handle is closed, which tells the peer the same.
    if ((this.#doing & readEnd) !== 0) {
      this.#finished(0);
      return;
    }
    const request = new ShutdownWrap() as OwnedRequest;
    request.stream = this;
    request.oncomplete = HandleStream.#onShutdown;
    const status = this.#handle!.shutdown(request);
    if (status !== 0) this.#finished(status);
  }

  protected override checkEnd(): void {
    if (this.#isReset()) {
      this.failed(transportError(resetError()));
      this.#close(false);
    } else {
      this.readEnded();
    }
  }

  protected override destroy(reset: boolean): void {
    const socket = this.#socket;
    if (socket === undefined) this.#close(reset || this.writing);
    else if (reset) socket.resetAndDestroy();
    // The new owner gets an error that says why. Node has no way to pass one with a reset.
    else socket.destroy(coreError("core.aborted"));
  }

  /** The turn in which the write in flight may complete has come. @internal */
  takeTurn(): void {
    this.#completeWrite();
  }

  static readonly #onRead = function (this: OwnedHandle): void {
    const stream = this.onconnection!;
    const size = streamBaseState[kReadBytesOrError]!;
    if (size > 0) {
      stream.#received += size;
      stream.deliver(lend(size));
      takenBack(size);
    } else if (size === endOfFile) {
      stream.#readEnded();
    } else if (size < 0) {
      stream.#fail(size, "read");
    }
  };

  static readonly #onWritten = function (this: OwnedRequest, status: number): void {
    const stream = this.stream!;
    // A closed stream has told its writer already.
    if (stream.#handle === undefined) return;
    if (status < 0) stream.#fail(status, "write");
    else if (turnBudget.spend(stream, cost.write + (stream.#length >> 10) * cost.written)) turnBudget.wait(stream);
    else stream.wrote(stream.#length);
  };

  static readonly #completeTaken = (): void => {
    const streams = taken;
    taken = [];
    let next = 0;
    try {
      while (next < streams.length) {
        streams[next++]!.#completeWrite();
      }
    } finally {
      // A handler that throws does not stop the others.
      if (next < streams.length) {
        taken = [...streams.slice(next), ...taken];
        nextTick(HandleStream.#completeTaken);
      }
    }
  };

  static readonly #onShutdown = function (this: OwnedRequest, status: number): void {
    const stream = this.stream!;
    if (stream.#handle !== undefined) stream.#finished(status);
  };

  static readonly #stopSoon = (): void => {
    nextTick(HandleStream.#stopIdle);
  };

  static readonly #stopIdle = (): void => {
    const streams = idle;
    idle = [];
    for (const stream of streams) {
      stream.#doing &= ~stopping;
      if (!stream.wanting) stream.#stopReading();
    }
  };

  /** Unless the stream has been closed or has failed meanwhile: then its writer is told that. */
  #completeWrite(): void {
    if (this.#handle !== undefined) this.wrote(this.#length);
  }

  #stopReading(): void {
    if ((this.#doing & reading) === 0) return;
    this.#doing &= ~reading;
    this.#handle?.readStop();
  }

  /** libuv stops reading, and takes a reset that comes together with the last bytes for an end. */
  #readEnded(): void {
    this.#doing = (this.#doing & ~reading) | readEnd;
    // The end of a Unix socket is one for a reader also if the peer has closed its own side; a watch asks for just that.
    if (this.#handle?.getpeername === undefined && !this.isWatched) this.readEnded();
    else this.checkEnd();
    this.#closeIfDone();
  }

  /** The write side has ended, or could not be ended. */
  #finished(status: number): void {
    // A connection that is gone can't be ended; its failure, if it was one, shows in what is read.
    if (status < 0 && status !== notConnected) {
      this.#fail(status, "shutdown");
      return;
    }
    this.#doing |= writeEnd;
    this.writeEnded();
    this.#closeIfDone();
  }

  /** Whether the peer has reset the connection: then it has no peer any more. After both ends it has none either. */
  #isReset(): boolean {
    const handle = this.#handle;
    if (handle === undefined || (this.#doing & finishing) !== 0) return false;
    if (handle.getpeername !== undefined) return handle.getpeername({}) === notConnected;
    // A Unix socket whose peer is gone takes nothing, not even an empty write.
    return !this.writing && handle.writeBuffer(new WriteWrap!() as OwnedRequest, nothing) < 0;
  }

  #closeIfDone(): void {
    if ((this.#doing & (readEnd | writeEnd)) === (readEnd | writeEnd)) this.#close(false);
  }

  #fail(status: number, syscall: string): void {
    this.failed(transportError(systemError(status, syscall)));
    this.#close(false);
  }

  #close(reset: boolean): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    // libuv does not reset what is being shut down, and after it has refused to, Node.js leaves the handle open. So the
    // peer sees an end, as the shutdown asked.
    const isShuttingDown = (this.#doing & (finishing | writeEnd)) === finishing;
    if (reset && handle.reset !== undefined && !isShuttingDown) handle.reset();
    else handle.close();
    this.#closed?.();
  }
}

/** The peer of a TCP connection; empty if it is already reset. */
function peerOf(handle: StreamHandle): Peer {
  const found: HandleAddress = {};
  if (handle.getpeername === undefined || handle.getpeername(found) !== 0) return {};
  return internetPeer(found.address!, found.port!, found.family);
}

const nothing = new Uint8Array(0);
