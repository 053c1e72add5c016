import { Writable } from "node:stream";
import { Protocol, type ProtocolEvent } from "../websocket/index.ts";
import { failureOf } from "./failures.ts";
import type { PerMessageDeflate } from "./permessage-deflate.ts";
import { asBuffer, empty, inForm, type BinaryType } from "./payload.ts";
import { protocolOptions } from "./settings.ts";

/** Options of a {@link Receiver}. */
export interface ReceiverOptions {
  /** Whether several events may come from one write. If not, each has a turn of the event loop. Default true. */
  allowSynchronousEvents?: boolean | undefined;
  /** How messages of bytes are given to listeners. Default "nodebuffer". */
  binaryType?: BinaryType | undefined;
  /** The negotiated extensions by name. */
  extensions?: Readonly<Record<string, PerMessageDeflate>> | undefined;
  /** Whether the frames are a client's, which are masked. Default false. */
  isServer?: boolean | undefined;
  /** Without effect: a message that has not arrived whole is kept in one piece. */
  maxBufferedChunks?: number | undefined;
  /** The most frames of a message. Default 0: no limit. */
  maxFragments?: number | undefined;
  /** The largest message in bytes, also after inflating. Default 0: no limit. */
  maxPayload?: number | undefined;
  /** Whether text that is not valid UTF-8 is accepted. Default false. */
  skipUTF8Validation?: boolean | undefined;
}

/**
 * Takes the bytes of frames, for programs that conduct a connection themselves, and emits `message` (data, isBinary), `ping`
 * and `pong` (payload), `conclude` (close code, reason), which is the last, and `error` for a violation of the protocol or
 * a limit. A WebSocket receives without it.
 */
export class Receiver extends Writable {
  readonly #protocol: Protocol;
  readonly #binaryType: BinaryType;
  /** Whether each event has a turn of its own. */
  readonly #isOneByOne: boolean;
  /** The event that waits for its turn. */
  #delayed: ProtocolEvent | undefined;
  /** Says that all bytes were taken, or why not. */
  #callback: ((error?: Error | null) => void) | undefined;
  #error: Error | null = null;

  constructor(options: ReceiverOptions = {}) {
    super();
    const { isServer, extensions, allowSynchronousEvents, binaryType } = options;
    this.#protocol = new Protocol(protocolOptions(Boolean(isServer), options, extensions?.["permessage-deflate"]));
    this.#binaryType = binaryType ?? "nodebuffer";
    this.#isOneByOne = allowSynchronousEvents === false;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#callback = callback;
    this.#protocol.receive(chunk);
    this.#take();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#protocol.end();
    callback(error);
  }

  #take(): void {
    let isDone = false;
    try {
      isDone = this.#takeEvents();
    } finally {
      // If a listener has thrown, the other events come all the same.
      if (isDone) this.#callback!(this.#error);
      else setImmediate(() => this.#take());
    }
  }

  /** Emits what the bytes have; returns whether that is all. */
  #takeEvents(): boolean {
    const delayed = this.#delayed;
    this.#delayed = undefined;
    if (delayed !== undefined) this.#emit(delayed);
    for (;;) {
      const event = this.#protocol.next();
      if (event === undefined) return true;
      if (event.type === "inflating") return false;
      if (this.#isOneByOne && event.type !== "close" && event.type !== "failed") {
        this.#delayed = event;
        return false;
      }
      this.#emit(event);
    }
  }

  #emit(event: ProtocolEvent): void {
    switch (event.type) {
      case "message": {
        const isBinary = event.kind === "binary";
        const bytes = event.data as Uint8Array;
        this.emit("message", isBinary ? inForm(bytes, this.#binaryType) : asBuffer(bytes), isBinary);
        break;
      }
      case "ping":
      case "pong":
        this.emit(event.type, asBuffer(event.payload));
        break;
      case "close":
        this.emit("conclude", event.code, event.reason === "" ? empty : Buffer.from(event.reason));
        // What is still written in this turn is dropped, and no error.
        process.nextTick(() => this.end());
        break;
      case "failed":
        this.#error = failureOf(event.error, event.value).error;
        break;
      default:
    }
  }
}
