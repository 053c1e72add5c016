import {
  abortError,
  coreError,
  FlatBuffer,
  teardown,
  type ByteStream,
  type Clock,
  type ServalError,
  type Timer,
} from "../../core/index.ts";
import { currentContext, isPromise, offAbort, onAbort, type AsyncContext } from "../../core/internal.ts";
import type { Request, Response } from "../../http/index.ts";
import { websocketError } from "../frames/errors.ts";
import type { DeflateParameters } from "../handshake/permessage-deflate.ts";

/** A successful handshake, in either role. */
export interface HandshakeResult {
  /** The subprotocol; empty if none. */
  readonly protocol: string;
  /** How messages are compressed; undefined where they are not. */
  readonly deflate: DeflateParameters | undefined;
  /** In the server role, what the hook `upgrade` returned to keep. */
  readonly data?: unknown;
  /** Bytes received after the head: the first frames. */
  readonly rest: Uint8Array;
}

/** What an opening handshake tells its stream. */
export interface OpeningOwner {
  /** The outcome. It comes exactly once, never inside `start`. */
  completed(error: ServalError | undefined, result: HandshakeResult | undefined): void;
  /** After an error: the next layer is closed now, unless someone else uses it. */
  ended(): void;
}

/**
 * What the opening handshakes of the two roles share, one for each object: one outcome, which is told once; the deadline
 * and the signal that can be that outcome; and the end of the next layer after an error.
 */
export abstract class Opening {
  /** The request, once it was received or is on its way; also of a handshake that fails. */
  request: Request | undefined;
  /** In the client role, the server's final response; also of a handshake that fails. Its body may be cut. */
  response: Response | undefined;
  /** Of the call that began the handshake. */
  readonly context: AsyncContext = currentContext();
  protected readonly next: ByteStream;
  /** Bytes that were received and not used: those after the head are the first frames. */
  protected readonly buffer: FlatBuffer = new FlatBuffer();
  /** Whether the outcome is known: what the next layer or a hook completes with from then on changes nothing. */
  protected isSettled = false;
  readonly #owner: OpeningOwner;
  #timer: Timer | undefined;
  #signal: AbortSignal | undefined;

  constructor(next: ByteStream, owner: OpeningOwner) {
    this.next = next;
    this.#owner = owner;
  }

  /** The handshake has begun: after `ms` milliseconds, Infinity for never, or when the signal fires, it fails. */
  protected limit(clock: Clock, ms: number, signal: AbortSignal | undefined): void {
    if (this.isSettled) return;
    if (ms !== Infinity) this.#timer = clock.setTimer(ms, this.#onDeadline);
    this.#signal = signal;
    if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  /** Completes with the result. */
  protected succeed(result: HandshakeResult): void {
    this.#settle();
    this.#owner.completed(undefined, result);
  }

  /** Gives the handshake up, at any step: closes the next layer. */
  abort(error: ServalError): void {
    if (this.isSettled) return;
    this.#settle();
    this.context.runInAsyncScope(this.next.close, this.next);
    this.#failSoon(error);
  }

  /** Someone else reads from the next layer, or writes to it: it is theirs, and left as it is. */
  protected withdraw(error: ServalError): void {
    if (this.isSettled) return;
    this.#settle();
    this.#failSoon(error);
  }

  /** Fails after a response was written, so that the peer can read it: ends our side, and waits for the peer's end, until the deadline. */
  protected leave(error: ServalError): void {
    const timer = this.#timer;
    this.#timer = undefined;
    this.#settle();
    this.#owner.completed(error, undefined);
    this.#timer = timer;
    try {
      teardown(this.next, "server", () => this.#end());
    } catch {
      // The application has given the next layer other work to do.
      this.next.close();
      this.#end();
    }
  }

  /** The handshake is about to complete with an error that no response tells. */
  protected failing(_error: ServalError): void {}

  /** The deadline has come, ours or one of the caller's. */
  protected timedOut(error: ServalError): void {
    this.abort(error);
  }

  readonly #onDeadline = (): void => {
    // A peer that was refused does not end.
    if (this.isSettled) this.next.close();
    else this.timedOut(coreError("core.timeout", { message: "The WebSocket handshake took longer than its deadline" }));
  };

  readonly #onAbort = (): void => this.aborted(this.#signal!);

  /** The signal has fired. */
  protected aborted(signal: AbortSignal): void {
    this.abort(abortError(signal));
  }

  /** Nothing else is waited for. */
  #settle(): void {
    this.isSettled = true;
    this.buffer.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
    this.#signal = undefined;
  }

  /** Not inside the call that has failed. */
  #failSoon(error: ServalError): void {
    queueMicrotask(() => {
      this.failing(error);
      this.#owner.completed(error, undefined);
      this.#end();
    });
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#owner.ended();
  }
}

/** What the failure to read a head is to a handshake; `ended` says what the peer did that ended before it. */
export function headError(failure: ServalError, ended: string): ServalError {
  if (failure.code === "http.end_of_stream") return websocketError("websocket.closed", { message: ended });
  if (failure.code === "http.header_limit") return websocketError("websocket.buffer_overflow", { cause: failure });
  return failure;
}

/** Refuses what the hook `decorate` returned, if it is a promise: the message leaves at once. */
export function checkDecorated(result: unknown): void {
  if (!isPromise(result)) return;
  // Types let an async function pass; what it rejects with must not end the process.
  result.then(undefined, () => {});
  throw websocketError("websocket.bad_upgrade_result", {
    message: "decorate can't be async: it must have added its headers when it returns",
  });
}
