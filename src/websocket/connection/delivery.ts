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
  /** The bytes; of a text in UTF-8, checked, and cut anywhere. Possibly none. */
  readonly bytes: Uint8Array;
  /** What the message is. */
  readonly kind: "text" | "binary";
  /** Whether the message ends with them. */
  readonly done: boolean;
}

/** What `write` returns where nothing has to be waited for. One promise for all, so that it costs nothing. */
export const room: Promise<void> = Promise.resolve();

/** What a {@link Delivery} tells its connection. */
export interface Resumable {
  /** A handler is done; it threw or rejected with `thrown`, if that is given. */
  resumed(thrown?: ServalError): void;
}

/**
 * Hands messages to the application: to its handlers, one after the other or as many at once as `concurrency` says; or
 * to the reader that waits. What a handler throws goes no further than its own connection.
 */
export class Delivery<Ws> {
  /** How often data came that nobody waited for. */
  pauses = 0;
  /** A message that was inflated on another thread after its reader had given up; nothing follows it before it is read. */
  held: MessageData | undefined;

  readonly #ws: Ws;
  readonly #settings: Settings<Ws>;
  readonly #connection: Resumable;
  /** How many promises of handlers are pending, and whether that of `open` is one of them. */
  #pending = 0;
  #isOpening = false;
  /** The reader that waits for a message, or for a part of one, as `#taking` says. */
  #reader: Handler<unknown> | undefined;
  #taking: Take = take.message;
  /** Data has come that nobody waited for. */
  #isPaused = false;

  constructor(ws: Ws, settings: Settings<Ws>, connection: Resumable) {
    this.#ws = ws;
    this.#settings = settings;
    this.#connection = connection;
  }

  get #handlers(): OptionsOf<Ws> {
    return this.#settings.options;
  }

  /** What the application takes now: nothing while as many handlers are at work as may be. */
  get wanted(): Take {
    if (this.#handlers.message === undefined) return this.#reader === undefined ? take.nothing : this.#taking;
    const isBusy = this.#pending > 0 && (this.#isOpening || this.#pending >= this.#settings.concurrency);
    return isBusy ? take.nothing : take.message;
  }

  // ---- the reader ----

  /** Keeps the reader of the next message, or of the next part of one. One at a time. */
  read(taking: Take, isInParts: boolean, reader: Handler<unknown>): void {
    if (this.#handlers.message !== undefined) throw websocketError("websocket.pushed");
    if (this.#reader !== undefined) {
      throw coreError("core.operation_pending", { message: "A read is in progress: await it before the next" });
    }
    if (taking === take.message && isInParts) throw websocketError("websocket.message_in_progress");
    this.#reader = reader;
    this.#taking = taking;
  }

  /** Gives up a read; what it waited for stays for the next one. False if it has completed. */
  cancel(reader: unknown): boolean {
    if (this.#reader !== reader) return false;
    this.#reader = undefined;
    return true;
  }

  /** Nothing comes any more: the reader that waits gets the error. */
  end(error: () => ServalError): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader, error(), undefined);
  }

  // ---- what has come ----

  /**
   * Hands over a whole message. Returns whether the next event may be taken in this turn: a reader may answer before the
   * bytes after its message are looked at, which may be the peer's close.
   */
  message(message: MessageData, isText: boolean): boolean {
    if (this.#handlers.message !== undefined) {
      this.#settings.observer?.message(this.#ws, message);
      try {
        const result = this.#handlers.message(this.#ws, message);
        if (result !== undefined && result !== room) this.#await(result);
      } catch (cause) {
        this.#threw(cause);
      }
      return true;
    }
    if (this.#reader === undefined) this.held = message;
    else if (this.#taking === take.message) {
      this.#settings.observer?.message(this.#ws, message);
      this.#read(message);
    } else this.part(typeof message === "string" ? encodeUtf8(message) : message, isText, true);
    return false;
  }

  /** Hands the next bytes of a message to the reader. */
  part(bytes: Uint8Array, isText: boolean, done: boolean): void {
    this.#read({ bytes, kind: isText ? "text" : "binary", done } satisfies ReceivedPart);
  }

  /** Whether there is a message that was held, and a reader for it now, who gets it. */
  takeHeld(isText: boolean): boolean {
    const { held } = this;
    if (held === undefined || this.#reader === undefined) return false;
    this.held = undefined;
    this.message(held, isText);
    return true;
  }

  /** Data has come that the application does not take now. */
  paused(): void {
    if (!this.#isPaused) this.pauses++;
    this.#isPaused = true;
  }

  /** All that came has been taken. */
  caughtUp(): void {
    this.#isPaused = false;
  }

  // ---- handlers ----

  open(): void {
    this.#settings.observer?.opened(this.#ws);
    try {
      const result = this.#handlers.open?.(this.#ws);
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
    this.#run(
      () => this.#handlers.control!(this.#ws, kind, payload),
      (cause) => this.#threw(cause),
    );
  }

  /** Why the connection fails. What a handler threw is not lost where there is no `error` handler. */
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

  /** While the promise is pending, it counts as a handler at work. */
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

  /** One of the handlers is done; while `open` is at work it is the only one. */
  #settled(): void {
    this.#pending--;
    this.#isOpening = false;
    this.#settings.observer?.working(-1);
  }

  /** Runs a handler that nothing of the connection waits for; only a drain of the server does. */
  #run(handler: () => unknown, failed: (cause: unknown) => void): void {
    try {
      const result = handler();
      if (!isPromise(result)) return;
      const { observer } = this.#settings;
      observer?.working(1);
      result.then(
        () => observer?.working(-1),
        (cause: unknown) => {
          observer?.working(-1);
          failed(cause);
        },
      );
    } catch (cause) {
      failed(cause);
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
    // A proxy may refuse even that.
    return false;
  }
}
