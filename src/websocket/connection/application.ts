import { ServalError, type CloseInfo } from "../../core/index.ts";
import { isPromise, reportError } from "../../core/internal.ts";
import { thrownBy } from "../frames/errors.ts";
import type { ControlKind, MessageData } from "../options/handlers.ts";
import type { OptionsOf } from "../options/options.ts";
import type { Settings } from "../options/settings.ts";

/** What `write` returns where nothing has to be waited for. One promise for all, so that it costs nothing. */
export const room: Promise<void> = Promise.resolve();

type ApplicationSettings<Ws> = Pick<Settings<Ws>, "options" | "concurrency" | "observer">;

/** What the application's handlers do to their connection. */
export interface ApplicationOwner {
  readonly isOpen: boolean;
  /** How the connection ended, once the application has been told so. */
  readonly ended: CloseInfo | undefined;
  /** The handler that messages waited for is done. */
  resume(): void;
  /** A handler threw or rejected. */
  handlerFailed(): void;
}

/**
 * The application's side of a connection: calls its handlers, one message at a time, and lets nothing that they throw
 * go further than their own connection.
 */
export class Application<Ws> {
  /** How many promises of handlers are pending, and whether that of `open` is one of them. */
  #pending = 0;
  #isOpening = false;
  readonly #ws: Ws;
  readonly #settings: ApplicationSettings<Ws>;
  readonly #owner: ApplicationOwner;

  constructor(ws: Ws, settings: ApplicationSettings<Ws>, owner: ApplicationOwner) {
    this.#ws = ws;
    this.#settings = settings;
    this.#owner = owner;
  }

  get #handlers(): OptionsOf<Ws> {
    return this.#settings.options;
  }

  /** As many handlers are at work as may be: no message before one of them has settled. */
  get isBusy(): boolean {
    return this.#isOpening || this.#pending >= this.#settings.concurrency;
  }

  /** Whether messages are pushed to a handler, not pulled. */
  get isPushed(): boolean {
    return this.#handlers.message !== undefined;
  }

  open(): void {
    this.#settings.observer?.opened(this.#ws);
    try {
      const result = this.#handlers.open?.(this.#ws);
      this.#isOpening = isPromise(result);
      this.#await(result);
    } catch (error) {
      this.#threw(error);
    }
  }

  message(message: MessageData): void {
    try {
      const result = this.#handlers.message!(this.#ws, message);
      if (result !== undefined && result !== room) this.#await(result);
    } catch (error) {
      this.#threw(error);
    }
  }

  drain(): void {
    this.#run(
      () => this.#handlers.drain?.(this.#ws),
      (error) => this.#threw(error),
    );
  }

  control(kind: ControlKind, payload: Uint8Array): void {
    this.#run(
      () => this.#handlers.control?.(this.#ws, kind, payload),
      (error) => this.#threw(error),
    );
  }

  /** The connection fails. What a handler threw is not lost where nobody listens for errors. */
  error(error: ServalError): void {
    this.#settings.observer?.failed(this.#ws, error);
    const { error: handler } = this.#handlers;
    if (handler !== undefined) this.#run(() => handler(this.#ws, error), reportError);
    else if (error.code === "websocket.handler_failed") reportError(error.cause);
  }

  close(info: CloseInfo): void {
    this.#run(() => this.#handlers.close?.(this.#ws, info), reportError);
  }

  #await(result: unknown): void {
    if (!isPromise(result)) return;
    this.#pending++;
    this.#settings.observer?.working(1);
    result.then(
      () => {
        this.#settled();
        this.#owner.resume();
      },
      (error: unknown) => {
        this.#settled();
        this.#threw(error);
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
  #run(handler: () => unknown, failed: (error: unknown) => void): void {
    try {
      const result = handler();
      if (!isPromise(result)) return;
      const { observer } = this.#settings;
      observer?.working(1);
      result.then(
        () => observer?.working(-1),
        (error: unknown) => {
          observer?.working(-1);
          failed(error);
        },
      );
    } catch (error) {
      failed(error);
    }
  }

  #threw(cause: unknown): void {
    // An operation that failed since the connection has ended is no failure of its handler.
    if (!this.#owner.isOpen && isServalError(cause)) return;
    if (this.#owner.ended !== undefined) {
      // `close` was the last handler to run.
      reportError(cause);
      return;
    }
    this.error(thrownBy("websocket.handler_failed", cause));
    this.#owner.handlerFailed();
  }
}

function isServalError(value: unknown): boolean {
  try {
    return value instanceof ServalError;
  } catch {
    // A proxy may refuse even that.
    return false;
  }
}
