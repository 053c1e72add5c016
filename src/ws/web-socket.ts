import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import { openAsClient } from "./client-opening.ts";
import { Connection } from "./connection.ts";
import { addEventListener, defineHandlerAttributes, removeEventListener, type EventListener } from "./events.ts";
import { abortHandshake, readyState, type ConnectionOptions, type ReadyState } from "./opening.ts";
import type { Callback, SendOptions } from "./output.ts";
import type { ClientOptions } from "./types.ts";
import { bytesOf, empty, isBlob, type BinaryType } from "./payload.ts";
import type { PerMessageDeflate } from "./permessage-deflate.ts";

const names = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
const binaryTypes: readonly unknown[] = ["nodebuffer", "arraybuffer", "fragments", "blob"];
const closedEarly = "WebSocket was closed before the connection was established";

/**
 * A WebSocket, as the package `ws` has it: an EventEmitter with the events `open`, `message`, `close`, `error`, `ping`, `pong`,
 * `upgrade`, `redirect` and `unexpected-response`, and an EventTarget with the first four.
 */
export class WebSocket extends EventEmitter {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  // What the other files, and programs that know `ws` well, reach into.
  /** @internal */
  _readyState: ReadyState = readyState.connecting;
  /** @internal */
  _binaryType: BinaryType = "nodebuffer";
  /** @internal */
  _protocol = "";
  /** @internal */
  _extensions: Record<string, PerMessageDeflate> = {};
  /** @internal */
  _isServer: boolean;
  /** @internal */
  _url: string | undefined = undefined;
  /** @internal */
  _req: ClientRequest | null = null;
  /** @internal */
  _redirects = 0;
  /** @internal */
  _autoPong: boolean;
  /** @internal */
  _maxPendingAutoPongs: number;
  /** @internal */
  _closeTimeout: number | undefined;
  /** @internal */
  _paused = false;
  /** @internal */
  _closeFrameReceived = false;
  /** @internal */
  _closeFrameSent = false;
  /** @internal */
  _closeCode = 1006;
  /** @internal */
  _closeMessage: Buffer = empty;
  /** @internal */
  _errorEmitted = false;

  #connection: Connection | undefined = undefined;
  #socket: Duplex | null = null;
  /** The bytes that were sent when it was no longer open. */
  #lost = 0;

  /**
   * Opens a WebSocket to a URL as the client. With `null` it is a server's: `setSocket` opens it.
   *
   * Throws a SyntaxError for an invalid URL or subprotocol, and a RangeError for an unknown version.
   */
  constructor(address: string | URL | null, protocols?: unknown, options?: ClientOptions) {
    super();
    let settings: ClientOptions | undefined = options;
    if (address === null) this._isServer = true;
    else {
      this._isServer = false;
      const isOptions = typeof protocols === "object" && protocols !== null && !Array.isArray(protocols);
      const given = isOptions ? (protocols as ClientOptions) : options;
      const asked = isOptions || protocols === undefined ? given?.protocols : (protocols as string | string[]);
      const list = asked === undefined ? [] : Array.isArray(asked) ? asked : [asked];
      settings = openAsClient(this, address, list as string[], given ?? {});
    }
    this._autoPong = settings?.autoPong === true;
    this._maxPendingAutoPongs = settings?.maxPendingAutoPongs ?? 0;
    this._closeTimeout = settings?.closeTimeout;
  }

  /** How messages of bytes are given to listeners: as a Buffer, an ArrayBuffer, a list of Buffers, or a Blob. */
  get binaryType(): BinaryType {
    return this._binaryType;
  }

  set binaryType(type: BinaryType) {
    if (binaryTypes.includes(type)) this._binaryType = type;
  }

  /** How many bytes were sent and not given to the kernel. */
  get bufferedAmount(): number {
    return this.#lost + (this.#connection?.output.bufferedAmount ?? 0);
  }

  /** The names of the agreed extensions. */
  get extensions(): string {
    return Object.keys(this._extensions).join(",");
  }

  /** Whether `pause` was called, and `resume` was not since. */
  get isPaused(): boolean {
    return this._paused;
  }

  /** The agreed subprotocol; empty if there is none. */
  get protocol(): string {
    return this._protocol;
  }

  /** The state: `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): ReadyState {
    return this._readyState;
  }

  /** The URL; undefined on the server. */
  get url(): string {
    return this._url as string;
  }

  /** The socket, with all that was sent given to it. @internal */
  get _socket(): Duplex | null {
    this.#connection?.output.flush();
    return this.#socket;
  }

  /** What sends frames that were made by `Sender.frame`. @internal */
  get _sender(): FrameSender | null {
    const output = this.#connection?.output;
    return output === undefined ? null : { sendFrame: (list, callback) => output.frames(list, callback) };
  }

  /**
   * Opens it over the socket of a handshake that has succeeded, and what was read after it. Emits `open`.
   *
   * @internal
   */
  setSocket(socket: Duplex, head: Buffer, options: ConnectionOptions): void {
    this.#socket = socket;
    this.#connection = new Connection(this, socket, head, options);
    this._readyState = readyState.open;
    this.emit("open");
  }

  /** Emits `close`. @internal */
  emitClose(): void {
    if (this.#connection !== undefined) this._extensions["permessage-deflate"]?.cleanup();
    this._readyState = readyState.closed;
    this.emit("close", this._closeCode, this._closeMessage);
  }

  /**
   * Begins the closing handshake, with a close code and a reason of at most 123 bytes. If it takes longer than
   * `closeTimeout`, the socket is destroyed. Ends a WebSocket that is not open yet, with an `error`.
   *
   * Throws a TypeError for a code or reason that can't be sent, and a RangeError for a long reason.
   */
  close(code?: number, reason?: string | Buffer): void {
    if (this._readyState === readyState.closed) return;
    if (this._readyState === readyState.connecting) abortHandshake(this, this._req!, closedEarly);
    else this.#connection?.close(code, reason);
  }

  /** Stops reading from the socket. Messages that were read before still come. */
  pause(): void {
    if (this._readyState === readyState.connecting || this._readyState === readyState.closed) return;
    this._paused = true;
    this.#connection?.pause();
  }

  /** Goes on reading. */
  resume(): void {
    if (this._readyState === readyState.connecting || this._readyState === readyState.closed) return;
    this._paused = false;
    this.#connection?.resume();
  }

  /** Sends a ping of at most 125 bytes. Throws a RangeError for more, and an Error before it is open. */
  ping(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#control("ping", data, mask, callback);
  }

  /** Sends a pong of at most 125 bytes. Throws a RangeError for more, and an Error before it is open. */
  pong(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#control("pong", data, mask, callback);
  }

  #control(kind: "ping" | "pong", data: unknown, mask: unknown, callback: unknown): void {
    if (this._readyState === readyState.connecting) throw notOpen(readyState.connecting);
    let sent = data;
    let told = callback;
    let isMasked = mask;
    if (typeof data === "function") [sent, isMasked, told] = [undefined, undefined, data];
    else if (typeof mask === "function") [isMasked, told] = [undefined, mask];
    if (typeof sent === "number") sent = String(sent);
    if (this._readyState !== readyState.open) this.#lose(sent, told as Callback | undefined);
    else {
      const masks = isMasked === undefined ? !this._isServer : Boolean(isMasked);
      this.#connection!.output.control(kind, sent || empty, masks, told as Callback | undefined);
    }
  }

  /**
   * Sends a message, or with `fin: false` a fragment of one. The callback is called when it was written, or with an error.
   *
   * Throws an Error before it is open, and a TypeError for data that has no bytes.
   */
  send(data: unknown, options?: SendOptions | Callback, callback?: Callback): void {
    if (this._readyState === readyState.connecting) throw notOpen(readyState.connecting);
    const told = typeof options === "function" ? options : callback;
    // What is no object has no options, as in `ws`.
    const given = typeof options === "object" && options !== null ? options : undefined;
    const sent = typeof data === "number" ? String(data) : data;
    if (this._readyState !== readyState.open) this.#lose(sent, told);
    else {
      // An empty string is text, and nothing at all is no bytes.
      this.#connection!.output.send(sent || (sent === "" ? "" : empty), given, told);
    }
  }

  /** Adds a listener for `open`, `message`, `close` or `error`, which gets an event as in the browser. */
  addEventListener(type: string, listener: EventListener, options: { once?: boolean | undefined } = {}): void {
    addEventListener(this, type, listener, options);
  }

  /** Removes a listener that `addEventListener` has added. */
  removeEventListener(type: string, listener: EventListener): void {
    removeEventListener(this, type, listener);
  }

  /** Destroys the socket, or ends the opening handshake, with an `error`. */
  terminate(): void {
    if (this._readyState === readyState.closed) return;
    if (this._readyState === readyState.connecting) abortHandshake(this, this._req!, closedEarly);
    else this.#connection?.terminate();
  }

  /** What is sent after the end counts as buffered, as the WebSocket standard says. */
  #lose(data: unknown, callback: Callback | undefined): void {
    if (data)
      this.#lost += isBlob(data)
        ? data.size
        : typeof data === "string"
          ? Buffer.byteLength(data)
          : bytesOf(data).length;
    if (callback !== undefined) process.nextTick(callback, notOpen(this._readyState));
  }
}

/** What `_sender` has. */
interface FrameSender {
  sendFrame(list: readonly (string | Uint8Array)[], callback?: Callback): void;
}

function notOpen(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${names[state]})`);
}

for (const [value, name] of names.entries()) {
  Object.defineProperty(WebSocket, name, { enumerable: true, value });
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true, value });
}
for (const name of [
  "addEventListener",
  "binaryType",
  "bufferedAmount",
  "extensions",
  "isPaused",
  "protocol",
  "readyState",
  "removeEventListener",
  "url",
]) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}
defineHandlerAttributes(WebSocket.prototype);
