import {
  abortError,
  coreError,
  FlatBuffer,
  type ByteStream,
  type Handler,
  type Peer,
  type ServalError,
} from "../../core/index.ts";
import {
  currentContext,
  isPromise,
  offAbort,
  onAbort,
  SharedTimer,
  soon,
  teardownIn,
  type AsyncContext,
  type AttentiveClock,
  type Cancellation,
  type Expiring,
} from "../../core/internal.ts";
import type { Request, RequestParser, Response } from "../../http/index.ts";
import { websocketError } from "../frames/errors.ts";
import type { DeflateParameters } from "../handshake/permessage-deflate.ts";

/** A successful handshake, in either role. */
export interface HandshakeResult {
  /** The subprotocol; empty if none. */
  readonly protocol: string;
  /** The negotiated compression; undefined for none. */
  readonly deflate: DeflateParameters | undefined;
  /** For a server, the `data` that the hook `upgrade` returned. */
  readonly data?: unknown;
  /** Bytes received after the head: the first frames. */
  readonly rest: Uint8Array;
}

/** What an opening handshake reports to its stream. */
export interface OpeningOwner {
  /** The address of the other side, if it is known. */
  readonly peer: Peer | undefined;
  /** The outcome, in the context of the handshake. It comes exactly once, never inside `start`. */
  openingCompleted(error: ServalError | undefined, result: HandshakeResult | undefined): void;
  /** After an error: the next layer is closed now, unless it is used elsewhere. */
  openingEnded(): void;
}

/**
 * The common part of the opening handshakes of the two roles, one per object: a single outcome; the deadline and the
 * signal that can be that outcome; and the end of the next layer after an error.
 */
export abstract class Opening implements Expiring {
  /** The request, once it was received or is being sent; also of a failed handshake. */
  request: Request | undefined;
  /** For a client, the server's final response; also of a failed handshake. Its body may be cut. */
  response: Response | undefined;
  /** Of the call that began the handshake. */
  readonly context: AsyncContext = currentContext();
  /** The completion handler of that call, for the owner. */
  readonly done: Handler;
  protected readonly next: ByteStream;
  /** Whether the outcome is known; later completions of the next layer or a hook change nothing. */
  protected isSettled = false;
  /** Made for bytes that have to be kept: most heads arrive whole, and alone. */
  #buffer: FlatBuffer | undefined;
  protected readonly owner: OpeningOwner;
  #timer: SharedTimer | undefined;
  #signal: Cancellation | undefined;
  #onAbort: (() => void) | undefined;

  constructor(next: ByteStream, owner: OpeningOwner, done: Handler) {
    this.next = next;
    this.owner = owner;
    this.done = done;
  }

  /** Received bytes that are not used; those after the head are the first frames. */
  protected get buffer(): FlatBuffer {
    return (this.#buffer ??= new FlatBuffer());
  }

  /** How many bytes the buffer holds. */
  protected get buffered(): number {
    return this.#buffer?.size ?? 0;
  }

  /** Parses bytes in place, undefined at the end of the stream; only unfinished ones, and those after the head, are copied. */
  protected parse(parser: Pick<RequestParser, "put" | "end">, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) parser.end();
    else if (this.buffered > 0) {
      this.buffer.append(bytes);
      this.buffer.consume(parser.put(this.buffer.data()));
    } else {
      const used = parser.put(bytes);
      if (used < bytes.length) this.buffer.append(bytes.subarray(used));
    }
  }

  /** Starts the limits: after `ms` milliseconds, Infinity for never, or when the signal fires, the handshake fails. */
  protected limit(time: AttentiveClock, ms: number, signal: Cancellation | undefined): void {
    if (this.isSettled) return;
    if (ms !== Infinity) this.#timer = SharedTimer.set(time, ms, this, true);
    if (signal === undefined) return;
    this.#signal = signal;
    this.#onAbort = () => this.aborted(signal);
    onAbort(signal, this.#onAbort, this.context);
  }

  /** Completes with the result. */
  protected succeed(result: HandshakeResult): void {
    this.#settle();
    this.owner.openingCompleted(undefined, result);
  }

  /** Aborts the handshake, at any step: closes the next layer. */
  abort(error: ServalError): void {
    if (this.isSettled) return;
    this.#settle();
    this.context.runInAsyncScope(this.next.close, this.next);
    this.#failSoon(error);
  }

  /** The next layer is used elsewhere, so it is left as it is. */
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
    this.owner.openingCompleted(error, undefined);
    this.#timer = timer;
    try {
      teardownIn(this.context, this.next, "server", () => this.#end());
    } catch {
      // The application has started another operation on the next layer.
      this.next.close();
      this.#end();
    }
  }

  /** The handshake is about to complete with an error that no response reports. */
  protected failing(_error: ServalError): void {}

  /** The deadline has passed, ours or the caller's. */
  protected timedOut(error: ServalError): void {
    this.abort(error);
  }

  /** Called by the timer. */
  expired(): void {
    this.#timer = undefined;
    // A refused peer does not end its side.
    if (this.isSettled) this.next.close();
    else this.timedOut(coreError("core.timeout", { message: "The WebSocket handshake took longer than its deadline" }));
  }

  /** The signal has fired. */
  protected aborted(signal: Cancellation): void {
    this.abort(abortError(signal));
  }

  /** Stops the deadline and the signal. */
  #settle(): void {
    this.isSettled = true;
    this.#buffer?.clear();
    this.#timer?.leave(this);
    this.#timer = undefined;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort!);
    this.#signal = undefined;
  }

  /** Not inside the call that has failed. */
  #failSoon(error: ServalError): void {
    soon(this.context, this.#fail, this, error);
  }

  #fail(error: ServalError): void {
    this.failing(error);
    this.owner.openingCompleted(error, undefined);
    this.#end();
  }

  #end(): void {
    this.#timer?.leave(this);
    this.#timer = undefined;
    this.owner.openingEnded();
  }
}

/** The handshake's error for a failure to read a head; `ended` is the message if the peer ended before it. */
export function headError(failure: ServalError, ended: string): ServalError {
  if (failure.code === "http.end_of_stream") return websocketError("websocket.closed", { message: ended });
  if (failure.code === "http.header_limit") return websocketError("websocket.buffer_overflow", { cause: failure });
  return failure;
}

/** Refuses a promise from the hook `decorate`, since the message leaves at once. */
export function checkDecorated(result: unknown): void {
  if (!isPromise(result)) return;
  // TypeScript accepts an async function here; its rejection must not end the process.
  result.then(undefined, () => {});
  throw websocketError("websocket.bad_upgrade_result", {
    message: "decorate can't be async: it must have added its headers when it returns",
  });
}
