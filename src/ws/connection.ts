import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { Protocol, type ProtocolEvent } from "../websocket/index.ts";
import { failureOf } from "./failures.ts";
import { Liveness, type Watched } from "./liveness.ts";
import { readyState, type ConnectionOptions, type ReadyState } from "./opening.ts";
import { Output, type Callback, type OutputOwner } from "./output.ts";
import { asBuffer, empty, inForm, type BinaryType } from "./payload.ts";
import type { PerMessageDeflate } from "./permessage-deflate.ts";
import { compressionOf, protocolOptions } from "./settings.ts";

/** What a connection needs of the WebSocket whose it is. */
export interface Owner extends EventEmitter {
  _readyState: ReadyState;
  readonly _isServer: boolean;
  readonly _autoPong: boolean;
  readonly _maxPendingAutoPongs: number;
  readonly _closeTimeout: number | undefined;
  readonly _binaryType: BinaryType;
  readonly _paused: boolean;
  readonly _extensions: Record<string, PerMessageDeflate>;
  _closeFrameReceived: boolean;
  _closeFrameSent: boolean;
  _closeCode: number;
  _closeMessage: Buffer;
  _errorEmitted: boolean;
  close(code?: number, reason?: string | Buffer): void;
  pong(data: Buffer, mask: boolean, callback: Callback): void;
  terminate(): void;
  emitClose(): void;
}

/** Where a socket has its connection. */
const ofSocket = Symbol("serval.connection");

type ConnectedSocket = Duplex & {
  [ofSocket]?: Connection | undefined;
  setTimeout?: (timeout: number) => void;
  setNoDelay?: () => void;
};

/** Whether a socket is a WebSocket's. */
export const isInUse = (socket: Duplex): boolean => (socket as ConnectedSocket)[ofSocket] !== undefined;

/**
 * An open connection: takes the socket's bytes and makes events of its WebSocket's of them, and conducts the closing
 * handshake. What is sent goes through its `output`.
 */
export class Connection implements OutputOwner, Watched {
  readonly output: Output;
  readonly #owner: Owner;
  readonly #socket: ConnectedSocket;
  readonly #protocol: Protocol;
  /** Whether each event has a turn of its own. */
  readonly #isOneByOne: boolean;
  /** The event that waits for its turn. */
  #event: ProtocolEvent | undefined;
  /** Whether events are being taken; `#isHeld` if that goes on in a later turn, and the socket is paused until then. */
  #isTaking = false;
  #isHeld = false;
  #isClosed = false;
  #hasFailed = false;
  #pendingPongs = 0;
  #liveness: Liveness | undefined;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(owner: Owner, socket: Duplex, head: Buffer, options: ConnectionOptions) {
    this.#owner = owner;
    this.#socket = socket;
    const negotiated: PerMessageDeflate | undefined = owner._extensions["permessage-deflate"];
    this.#protocol = new Protocol(protocolOptions(owner._isServer, options, negotiated));
    const compression = negotiated === undefined ? undefined : compressionOf(owner._isServer, negotiated);
    this.output = new Output(socket, this.#protocol, compression, this);
    const { idle = 0 } = options.timeouts ?? {};
    if (idle > 0) this.#liveness = new Liveness(idle, this);
    const { maxBufferedAmount = Infinity } = options;
    if (maxBufferedAmount !== Infinity) this.output.limit(maxBufferedAmount);
    this.#isOneByOne = options.allowSynchronousEvents === false;

    this.#socket[ofSocket] = this;
    // Other streams than sockets have neither.
    this.#socket.setTimeout?.(0);
    this.#socket.setNoDelay?.();
    if (head.length > 0) socket.unshift(head);
    socket.on("close", onClose);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("error", onError);
  }

  // ---- the closing handshake ----

  /** Sends our close frame, or ends the socket if both were exchanged. */
  close(code: number | undefined, reason: string | Uint8Array | undefined): void {
    const owner = this.#owner;
    if (owner._readyState === readyState.closing) {
      if (owner._closeFrameSent) this.#endIfAnswered();
      return;
    }
    this.output.close(code, reason, (error) => {
      if (error) return;
      owner._closeFrameSent = true;
      this.#endIfAnswered();
    });
    owner._readyState = readyState.closing;
    this.#setCloseTimer();
  }

  /** Destroys the socket, after what was sent was given to it. */
  terminate(): void {
    this.output.flush();
    this.#owner._readyState = readyState.closing;
    this.#socket.destroy();
  }

  #endIfAnswered(): void {
    if (this.#owner._closeFrameReceived || this.#hasFailed) this.#socket.end();
  }

  #setCloseTimer(): void {
    // Programs that make a WebSocket for a stream of their own give no time, and then `ws` destroys that stream at once:
    // it may be one that never closes by itself.
    const timeout = this.#owner._closeTimeout;
    // After a turn more: the peer's close frame may have arrived while the event loop was stopped.
    this.#closeTimer = setTimeout(() => setImmediate(() => this.#socket.destroy()), timeout);
  }

  outputOverflowed(): void {
    this.#owner.terminate();
  }

  /** A Blob could not be read. */
  outputFailed(error: Error): void {
    const owner = this.#owner;
    if (owner._readyState === readyState.closed) return;
    if (owner._readyState === readyState.open) {
      owner._readyState = readyState.closing;
      this.#setCloseTimer();
    }
    // The end, and not more: the peer may finish sending.
    this.#socket.end();
    this.#emitError(error);
  }

  #emitError(error: Error): void {
    const owner = this.#owner;
    if (owner._errorEmitted) return;
    owner._errorEmitted = true;
    owner.emit("error", error);
  }

  // ---- a silent peer ----

  get isDeaf(): boolean {
    return this.#owner._paused || this.#isHeld;
  }

  ask(): void {
    if (this.#owner._readyState === readyState.open)
      this.output.control("ping", empty, !this.#owner._isServer, undefined);
  }

  giveUp(): void {
    this.#owner.terminate();
  }

  // ---- pausing ----

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isHeld) this.#socket.resume();
  }

  // ---- the socket's events ----

  /** Bytes have arrived. */
  receive(bytes: Uint8Array): void {
    this.#liveness?.heard();
    this.#protocol.receive(bytes);
    if (!this.#isTaking) this.#take();
  }

  /** The peer sends nothing more. */
  ended(): void {
    this.output.flush();
    this.#owner._readyState = readyState.closing;
    this.#socket.end();
  }

  /** The socket is destroyed. */
  closed(): void {
    const owner = this.#owner;
    const socket = this.#socket;
    socket.removeListener("close", onClose);
    socket.removeListener("data", onData);
    socket.removeListener("end", onEnd);
    owner._readyState = readyState.closing;
    // What a paused socket has read is still received.
    if (!socket.readableEnded && socket.readableLength > 0 && !owner._closeFrameReceived && !this.#hasFailed) {
      const rest = socket.read(socket.readableLength) as Buffer | null;
      if (rest !== null) this.receive(rest);
    }
    this.output.end();
    socket[ofSocket] = undefined;
    this.#liveness?.stop();
    clearTimeout(this.#closeTimer);
    this.#isClosed = true;
    if (!this.#isTaking) this.#finish();
  }

  /** The socket has failed; its `close` follows. */
  failed(): void {
    this.#socket.removeListener("error", onError);
    this.#socket.on("error", ignore);
    if (this.#isClosed) return;
    this.#owner._readyState = readyState.closing;
    this.#socket.destroy();
  }

  #finish(): void {
    this.#protocol.end();
    this.#owner.emitClose();
  }

  // ---- events ----

  /** Takes the events that the received bytes have. */
  #take(): void {
    const { output } = this;
    const protocol = this.#protocol;
    const owner = this.#owner;
    let isDone = false;
    this.#isTaking = true;
    output.beginRead();
    try {
      const delayed = this.#event;
      if (delayed !== undefined) {
        this.#event = undefined;
        this.#emit(delayed);
      }
      for (;;) {
        const event = protocol.next();
        if (event === undefined) {
          isDone = true;
          break;
        }
        if (event.type === "inflating") break;
        if (this.#isOneByOne && event.type !== "close" && event.type !== "failed") {
          this.#event = event;
          break;
        }
        // The usual event is emitted here, since a call more would be measurable.
        if (event.type === "message" && owner._binaryType === "nodebuffer") {
          owner.emit("message", asBuffer(event.data as Uint8Array), event.kind === "binary");
        } else this.#emit(event);
      }
    } finally {
      output.endRead();
      // If a listener has thrown, the other events come all the same.
      if (isDone) this.#release();
      else this.#hold();
    }
  }

  /** Goes on in another turn; until then the socket reads nothing. */
  #hold(): void {
    if (!this.#isHeld) {
      this.#isHeld = true;
      this.#socket.pause();
    }
    setImmediate(takeMore, this);
  }

  /** All events are taken. */
  #release(): void {
    this.#isTaking = false;
    if (this.#isHeld) {
      this.#isHeld = false;
      if (!this.#owner._paused) this.#socket.resume();
    }
    if (this.#isClosed) this.#finish();
  }

  /** Goes on with the events, in a turn of its own. */
  takeMore(): void {
    this.#take();
  }

  #emit(event: ProtocolEvent): void {
    const owner = this.#owner;
    switch (event.type) {
      case "message": {
        const isBinary = event.kind === "binary";
        const bytes = event.data as Uint8Array;
        owner.emit("message", isBinary ? inForm(bytes, owner._binaryType) : asBuffer(bytes), isBinary);
        break;
      }
      case "ping":
        this.#pinged(asBuffer(event.payload));
        break;
      case "pong":
        owner.emit("pong", asBuffer(event.payload));
        break;
      case "close":
        this.#concluded(event.code, event.reason);
        break;
      case "failed":
        this.#violated(event);
        break;
      default:
    }
  }

  #pinged(payload: Buffer): void {
    const owner = this.#owner;
    if (owner._autoPong && owner._readyState === readyState.open) {
      if (owner._maxPendingAutoPongs > 0 && this.#pendingPongs >= owner._maxPendingAutoPongs) owner.terminate();
      else {
        this.#pendingPongs++;
        owner.pong(payload, !owner._isServer, () => this.#pendingPongs--);
      }
    }
    owner.emit("ping", payload);
  }

  /** The peer's close frame has come. */
  #concluded(code: number, reason: string): void {
    const owner = this.#owner;
    owner._closeFrameReceived = true;
    owner._closeCode = code;
    owner._closeMessage = reason === "" ? empty : Buffer.from(reason);
    if (this.#isClosed) return;
    this.#stopReading();
    // Characters that stand for invalid UTF-8 may take more room than that.
    if (code === 1005 || owner._closeMessage.length > 123) owner.close(code === 1005 ? undefined : code);
    else owner.close(code, owner._closeMessage);
  }

  #violated(event: ProtocolEvent & { readonly type: "failed" }): void {
    const { error, closeCode } = failureOf(event.error, event.value);
    this.#hasFailed = true;
    if (!this.#isClosed) {
      this.#stopReading();
      this.#owner.close(closeCode);
    }
    this.#emitError(error);
  }

  /** What the peer sends from now on is read, so that its end is noticed, and dropped. */
  #stopReading(): void {
    this.#socket.removeListener("data", onData);
    process.nextTick(resume, this.#socket);
  }
}

function onData(this: ConnectedSocket, bytes: Buffer): void {
  this[ofSocket]!.receive(bytes);
}

function onEnd(this: ConnectedSocket): void {
  this[ofSocket]!.ended();
}

function onClose(this: ConnectedSocket): void {
  this[ofSocket]!.closed();
}

function onError(this: ConnectedSocket): void {
  const connection = this[ofSocket];
  if (connection !== undefined) connection.failed();
  else {
    this.removeListener("error", onError);
    this.on("error", ignore);
  }
}

function ignore(): void {}

function resume(socket: Duplex): void {
  socket.resume();
}

function takeMore(connection: Connection): void {
  connection.takeMore();
}
