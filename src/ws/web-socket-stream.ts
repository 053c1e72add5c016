import { Duplex, type DuplexOptions } from "node:stream";
import type { WebSocket } from "./types.ts";

/**
 * A WebSocket as a `Duplex`: each message is a chunk to read, and each chunk that is written is sent as a message. The
 * WebSocket is paused while nobody reads. With `readableObjectMode`, text is read as strings.
 *
 * Ending the stream begins the closing handshake, and destroying it terminates the WebSocket. After an error of the
 * WebSocket the stream is destroyed with it.
 */
export function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex {
  return new WebSocketStream(websocket, options);
}

class WebSocketStream extends Duplex {
  readonly #ws: WebSocket & { readonly _socket?: Duplex | null };
  /** Whether the WebSocket has failed: it conducts its closing handshake itself. */
  #hasFailed = false;

  constructor(ws: WebSocket, options: DuplexOptions | undefined) {
    // It is the WebSocket that says when the stream is destroyed and closed.
    super({ ...options, autoDestroy: false, emitClose: false, objectMode: false, writableObjectMode: false });
    this.#ws = ws;
    ws.on("message", (data, isBinary) => {
      if (!this.push(!isBinary && this.readableObjectMode ? data.toString() : data)) ws.pause();
    });
    ws.once("error", (error) => {
      if (this.destroyed) return;
      this.#hasFailed = true;
      this.destroy(error);
    });
    ws.once("close", () => {
      if (!this.destroyed) this.push(null);
    });
    this.on("end", () => {
      if (!this.destroyed && this.writableFinished) this.destroy();
    });
    const onError = (error: Error): void => {
      this.off("error", onError);
      this.destroy();
      // This listener is no reason for silence.
      if (this.listenerCount("error") === 0) this.emit("error", error);
    };
    this.on("error", onError);
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const ws = this.#ws;
    if (ws.readyState === ws.CONNECTING) ws.once("open", () => this._write(chunk, encoding, callback));
    else ws.send(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    const ws = this.#ws;
    if (ws.readyState === ws.CONNECTING) {
      ws.once("open", () => this._final(callback));
      return;
    }
    const socket = ws._socket;
    // The opening handshake has failed, and the WebSocket's `error` is yet to come.
    if (socket == null) return;
    if (socket.writableFinished) {
      callback();
      if (this.readableEnded) this.destroy();
      return;
    }
    // The `end` comes later, with the WebSocket's `close`, and destroys the stream.
    socket.once("finish", () => callback());
    ws.close();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const ws = this.#ws;
    const close = (): void => void process.nextTick(() => this.emit("close"));
    if (ws.readyState === ws.CLOSED) {
      callback(error);
      close();
      return;
    }
    let isCalled = false;
    ws.once("error", (cause) => {
      isCalled = true;
      callback(cause);
    });
    ws.once("close", () => {
      if (!isCalled) callback(error);
      close();
    });
    if (!this.#hasFailed) ws.terminate();
  }
}
