import { coreError, ServalError, type CloseInfo, type Handler } from "../../core/index.ts";
import { encodeUtf8, isPromise, reportError } from "../../core/internal.ts";
import { thrownBy, websocketError } from "../frames/errors.ts";
import type { ControlKind, MessageData } from "../options/handlers.ts";
import type { OptionsOf } from "../options/options.ts";
import type { Settings } from "../options/settings.ts";
import { take, type Take } from "../protocol/event.ts";
import { tell } from "./tell.ts";

/** A part of a message: what `readSome` receives. */
export interface ReceivedPart {
  /** The bytes, possibly none. Those of a text are valid UTF-8, but may end within a character. */
  readonly bytes: Uint8Array;
  /** The kind of the message. */
  readonly kind: "text" | "binary";
  /** Whether these are the last bytes of the message. */
  readonly done: boolean;
}

/** The promise that `write` returns if there is nothing to wait for. All writes share it, so it costs nothing. */
export const room: Promise<void> = Promise.resolve();

/** While so many `control` handlers are at work, no more events are taken: pings must not start handlers without end. */
export const mostControls = 16;

/** The connection of a {@link Delivery}. */
export interface Resumable<Ws> {
  /** What handlers are called with. */
  readonly ws: Ws;
  readonly settings: Settings<Ws>;
  /** A handler is done; it threw or rejected with `thrown`, if that is given. */
  resumed(thrown?: ServalError): void;
}

/**
 * Passes messages to the application: to its handlers, of which at most `concurrency` run, or to the pending read. A
 * handler that throws ends its own connection and nothing else.
 */
export class Delivery<Ws> {
  /** How many promises of `control` are pending. */
  controls = 0;
  /** How often reading stopped because the application took no data. */
  pauses = 0;
  /** Whether data has arrived that the application does not take. */
  isPaused = false;
  /** A message that was inflated on another thread after its read had been aborted. The next read gets it first. */
  held: MessageData | undefined;

  readonly #connection: Resumable<Ws>;
  /** How many promises of handlers are pending, and whether one of them is that of `open`. */
  #pending = 0;
  #isOpening = false;
  /** The handler of the pending read; `#taking` says whether it takes a message or a part of one. */
  #reader: Handler<unknown> | undefined;
  #taking: Take = take.message;

  constructor(connection: Resumable<Ws>) {
    this.#connection = connection;
  }

  get #ws(): Ws {
    return this.#connection.ws;
  }

  get #settings(): Settings<Ws> {
    return this.#connection.settings;
  }

  get #handlers(): OptionsOf<Ws> {
    return this.#connection.settings.options;
  }

  /** What the application takes now. Nothing while `concurrency` handlers are at work, or no read is pending. */
  get wanted(): Take {
    if (this.#handlers.message === undefined) return this.#reader === undefined ? take.nothing : this.#taking;
    const isBusy = this.#pending > 0 && (this.#isOpening || this.#pending >= this.#settings.concurrency);
    return isBusy ? take.nothing : take.message;
  }

  /** Whether the application takes messages by reads, none is pending, and nothing else comes before the next message. */
  get isAsked(): boolean {
    if (this.#handlers.message !== undefined || this.#reader !== undefined) return false;
    return this.held === undefined && this.controls < mostControls;
  }

  // ---- the reader ----

  /** Keeps the handler of a read. A second one throws. */
  read(taking: Take, isInParts: boolean, reader: Handler<unknown>): void {
    if (this.#handlers.message !== undefined) throw websocketError("websocket.pushed");
    if (this.#reader !== undefined) {
      throw coreError("core.operation_pending", { message: "A read is in progress: await it before the next" });
    }
    if (taking === take.message && isInParts) throw websocketError("websocket.message_in_progress");
    this.#reader = reader;
    this.#taking = taking;
  }

  /** Forgets a read; the next one gets its message. Returns false if the read has completed. */
  cancel(reader: unknown): boolean {
    if (this.#reader !== reader) return false;
    this.#reader = undefined;
    return true;
  }

  /** Completes the pending read with an error: nothing more will arrive. */
  end(error: () => ServalError): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader, error(), undefined);
  }

  // ---- received data ----

  /**
   * Delivers a whole message. Returns whether the turn may go on. After a read it may not, so that the reader may
   * answer before the next frame is parsed, which may be the peer's close.
   */
  message(message: MessageData, isText: boolean): boolean {
    const { ws, settings } = this.#connection;
    const { options, observer } = settings;
    if (options.message !== undefined) {
      observer?.message(ws, message);
      try {
        const result = options.message(ws, message);
        if (result !== undefined && result !== room) this.#await(result);
      } catch (cause) {
        this.#threw(cause);
      }
      return true;
    }
    if (this.#reader === undefined) this.held = message;
    else if (this.#taking === take.message) {
      observer?.message(ws, message);
      this.#read(message);
    } else this.part(typeof message === "string" ? encodeUtf8(message) : message, isText, true);
    return false;
  }

  /** Delivers the next bytes of a message to the pending read. */
  part(bytes: Uint8Array, isText: boolean, done: boolean): void {
    this.#read({ bytes, kind: isText ? "text" : "binary", done } satisfies ReceivedPart);
  }

  /** Delivers the held message to the pending read. Returns false if there is no message or no read. */
  takeHeld(isText: boolean): boolean {
    const { held } = this;
    if (held === undefined || this.#reader === undefined) return false;
    this.held = undefined;
    this.message(held, isText);
    return true;
  }

  /** Data has arrived that the application does not take: counts one pause until it has caught up. */
  paused(): void {
    if (!this.isPaused) this.pauses++;
    this.isPaused = true;
  }

  /** All received data has been taken. */
  caughtUp(): void {
    this.isPaused = false;
  }

  // ---- handlers ----

  open(): void {
    const { ws, settings } = this.#connection;
    settings.observer?.opened(ws);
    try {
      const result = settings.options.open?.(ws);
      this.#isOpening = isPromise(result);
      this.#await(result);
    } catch (cause) {
      this.#threw(cause);
    }
  }

  drain(): void {
    if (this.#handlers.drain === undefined) return;
    this.#run(
      () => this.#handlers.drain!(this.#ws),
      (cause) => this.#threw(cause),
    );
  }

  control(kind: ControlKind, payload: Uint8Array): void {
    if (this.#handlers.control === undefined) return;
    const isPending = this.#run(
      () => this.#handlers.control!(this.#ws, kind, payload),
      (cause) => this.#threw(cause),
      () => {
        this.controls--;
        this.#connection.resumed();
      },
    );
    if (isPending) this.controls++;
  }

  /** Reports why the connection fails. Without an `error` handler, an error of another handler goes to the console. */
  error(error: ServalError): void {
    this.#settings.observer?.failed(this.#ws, error);
    if (this.#handlers.error !== undefined) this.#run(() => this.#handlers.error!(this.#ws, error), reportError);
    else if (error.code === "websocket.handler_failed") reportError(error.cause);
  }

  close(info: CloseInfo): void {
    if (this.#handlers.close !== undefined) this.#run(() => this.#handlers.close!(this.#ws, info), reportError);
  }

  #read(result: MessageData | ReceivedPart): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    tell(reader, undefined, result);
  }

  /** Counts a handler as running until its promise settles. */
  #await(result: unknown): void {
    if (!isPromise(result)) return;
    this.#pending++;
    this.#settings.observer?.working(1);
    result.then(
      () => {
        this.#settled();
        this.#connection.resumed();
      },
      (cause: unknown) => {
        this.#settled();
        this.#threw(cause);
      },
    );
  }

  /** One handler is done. While `open` runs, no other does. */
  #settled(): void {
    this.#pending--;
    this.#isOpening = false;
    this.#settings.observer?.working(-1);
  }

  /** Runs a handler that the connection does not wait for; a drain of the server does. */
  #run(handler: () => unknown, failed: (cause: unknown) => void, settled?: () => void): boolean {
    try {
      const result = handler();
      if (!isPromise(result)) return false;
      const { observer } = this.#settings;
      observer?.working(1);
      const done = (): void => {
        observer?.working(-1);
        settled?.();
      };
      result.then(done, (cause: unknown) => {
        done();
        failed(cause);
      });
      return true;
    } catch (cause) {
      failed(cause);
      return false;
    }
  }

  #threw(cause: unknown): void {
    this.#connection.resumed(thrownBy("websocket.handler_failed", cause));
  }
}

/** Whether something thrown is an error of this package. */
export function isServalError(value: unknown): boolean {
  try {
    return value instanceof ServalError;
  } catch {
    // A revoked proxy throws even here.
    return false;
  }
}
