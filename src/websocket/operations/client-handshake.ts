import {
  abortError,
  coreError,
  FlatBuffer,
  ServalError,
  transportError,
  type ByteStream,
  type Clock,
  type Timer,
} from "../../core/index.ts";
import { isPromise, offAbort, onAbort } from "../../core/internal.ts";
import {
  FinalResponseParser,
  readResponse,
  write,
  type FieldsInit,
  type Request,
  type Response,
} from "../../http/index.ts";
import { newKey } from "../handshake/accept-key.ts";
import {
  checkUpgradeResponse,
  declined,
  ownValues,
  upgradeRequest,
  type Agreement,
} from "../handshake/client-rules.ts";
import { websocketError } from "../frames/errors.ts";
import type { DeflateSettings } from "../handshake/permessage-deflate.ts";

/** What a client's handshake asks for, and its limits. */
export interface HandshakeInput {
  /** The value of Host. */
  readonly host: string;
  /** The request target. */
  readonly target: string;
  /** The subprotocols that are offered, the preferred one first. */
  readonly protocols: readonly string[];
  /** More headers for the request. */
  readonly headers?: FieldsInit | undefined;
  /** What is offered of permessage-deflate; undefined for nothing. */
  readonly deflate: DeflateSettings | undefined;
  /** Adds headers to the request, last of all. */
  readonly decorate?: ((request: Request) => unknown) | undefined;
  /** The largest head of a response that is taken, in bytes. */
  readonly maxHeaderSize: number;
  /** The deadline for all of it, in milliseconds; Infinity for none. */
  readonly handshakeMs: number;
  readonly clock: Clock;
}

/** What the operation tells its stream. */
export interface HandshakeOwner {
  /** The request, which is on its way. */
  sent(request: Request): void;
  /** The server's final response, also one that makes the handshake fail; its body may be cut. */
  received(response: Response): void;
  /** The outcome. It comes exactly once, never inside `start`. */
  completed(error: ServalError | undefined, result: HandshakeResult | undefined): void;
  /** After the completion with an error: the next layer is closed, unless someone else uses it. */
  ended(): void;
}

/** A successful handshake. */
export interface HandshakeResult extends Agreement {
  readonly response: Response;
  /** Bytes received after the response: the first frames. */
  readonly rest: Uint8Array;
}

/**
 * The opening handshake in the client role, one for each object: writes the request, reads what answers it and checks
 * that, all under one deadline.
 *
 * Where the server has refused, that is the outcome, and what else goes wrong with the body of its response only cuts
 * that: a server that sends no end of it can't hide its refusal behind a timeout.
 */
export class HandshakeOperation {
  readonly #next: ByteStream;
  readonly #input: HandshakeInput;
  readonly #owner: HandshakeOwner;
  readonly #key: string = newKey();
  readonly #buffer: FlatBuffer = new FlatBuffer();
  readonly #parser: FinalResponseParser;
  #timer: Timer | undefined;
  #signal: AbortSignal | undefined;
  /** The outcome is known: what the next layer completes with changes nothing. */
  #isDecided = false;

  constructor(next: ByteStream, input: HandshakeInput, owner: HandshakeOwner) {
    this.#next = next;
    this.#input = input;
    this.#owner = owner;
    const { maxHeaderSize } = input;
    this.#parser = new FinalResponseParser({ maxHeaderSize });
  }

  /**
   * Throws what can't be asked for, what the hook `decorate` did wrong, and what the next layer says of misuse; then
   * nothing was started.
   */
  start(signal?: AbortSignal): void {
    const request = this.#request();
    if (signal?.aborted === true) {
      this.abort(abortError(signal));
      return;
    }
    write(this.#next, request, this.#onWritten);
    this.#owner.sent(request);
    if (signal !== undefined) {
      this.#signal = signal;
      onAbort(signal, this.#onAbort);
    }
    const { handshakeMs, clock } = this.#input;
    if (handshakeMs !== Infinity) this.#timer = clock.setTimer(handshakeMs, this.#onDeadline);
  }

  /** Gives the handshake up, at any step: closes the next layer. */
  abort(error: ServalError): void {
    if (this.#isDecided) return;
    this.#decide();
    this.#next.close();
    this.#endSoon(error);
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#signal! as { reason: unknown };
    // A deadline of the caller's, which has begun before us, is like our own.
    if (reason instanceof ServalError && reason.condition === "timeout") this.#stop(reason);
    else this.abort(abortError(this.#signal!));
  };

  readonly #onDeadline = (): void => {
    this.#stop(coreError("core.timeout", { message: "The WebSocket handshake took longer than its deadline" }));
  };

  #request(): Request {
    const { decorate } = this.#input;
    const request = upgradeRequest({ ...this.#input, key: this.#key });
    if (decorate === undefined) return request;
    const before = ownValues(request);
    let result: unknown;
    try {
      result = decorate(request);
    } catch (cause) {
      throw websocketError("websocket.handler_failed", { cause, message: "The decorate hook failed" });
    }
    if (isPromise(result)) {
      // Types let an async function pass; what it rejects with must not end the process.
      result.then(undefined, () => {});
      throw websocketError("websocket.bad_upgrade_result", { message: "decorate can't be async in the client role" });
    }
    if (ownValues(request).every((value, i) => value === before[i])) return request;
    throw websocketError("websocket.bad_upgrade_result", {
      message:
        "decorate can add headers to the request, but not change the handshake's own, its method, target or body",
    });
  }

  readonly #onWritten = (error: ServalError | undefined): void => {
    if (this.#isDecided) return;
    if (error !== undefined) {
      this.abort(error);
      return;
    }
    try {
      readResponse(this.#next, this.#buffer, this.#parser, this.#onRead);
    } catch (thrown) {
      this.#notStarted(transportError(thrown));
    }
  };

  #notStarted(error: ServalError): void {
    if (error.code !== "core.operation_pending") {
      this.abort(error);
      return;
    }
    // Someone else reads from the next layer: it is theirs, and left as it is.
    this.#decide();
    this.#endSoon(error);
  }

  readonly #onRead = (error: ServalError | undefined, response: Response): void => {
    if (error === undefined) this.#judge(response);
    else if (error.code === "http.end_of_stream")
      this.#stop(websocketError("websocket.closed", { message: "The server ended before it answered the handshake" }));
    else if (error.code === "http.header_limit")
      this.#stop(websocketError("websocket.buffer_overflow", { cause: error }));
    else this.#stop(error);
  };

  #judge(response: Response): void {
    if (this.#isDecided) return;
    this.#owner.received(response);
    const { protocols, deflate } = this.#input;
    const agreement = checkUpgradeResponse(response, { key: this.#key, protocols, deflate });
    if (agreement instanceof ServalError) {
      this.abort(agreement);
      return;
    }
    const rest = this.#buffer.data();
    this.#decide();
    this.#owner.completed(undefined, { ...agreement, response, rest });
  }

  /** Nothing more comes of the response: fails with the refusal, where that much is known, or else with the error. */
  #stop(error: ServalError): void {
    if (this.#isDecided) return;
    const { response } = this.#parser;
    if (response !== undefined) this.#owner.received(response);
    this.abort(response === undefined ? error : declined(response));
  }

  #endSoon(error: ServalError): void {
    queueMicrotask(() => {
      this.#owner.completed(error, undefined);
      this.#owner.ended();
    });
  }

  /** The outcome is known: nothing else is waited for. */
  #decide(): void {
    this.#isDecided = true;
    this.#buffer.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
    this.#signal = undefined;
  }
}
