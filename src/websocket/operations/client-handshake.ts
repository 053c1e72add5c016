import {
  abortError,
  ServalError,
  transportError,
  type ByteStream,
  type Clock,
  type Handler,
} from "../../core/index.ts";
import { attentive } from "../../core/internal.ts";
import {
  FinalResponseParser,
  readResponse,
  write,
  type FieldsInit,
  type Request,
  type Response,
} from "../../http/index.ts";
import { readRefusal } from "../../http/internal.ts";
import { websocketError } from "../frames/errors.ts";
import { newKey } from "../handshake/accept-key.ts";
import { checkUpgradeResponse, declined, ownValues, upgradeRequest } from "../handshake/client-rules.ts";
import type { DeflateSettings } from "../handshake/permessage-deflate.ts";
import { checkDecorated, headError, Opening, type OpeningOwner } from "./opening.ts";

/** The request of a client's handshake, and its limits. */
export interface HandshakeInput {
  /** The value of Host. */
  readonly host: string;
  /** The request target. */
  readonly target: string;
  /** The subprotocols offered, in order of preference. */
  readonly protocols: readonly string[];
  /** More headers for the request. */
  readonly headers?: FieldsInit | undefined;
  /** The offer of permessage-deflate; undefined for none. */
  readonly deflate: DeflateSettings | undefined;
  /** Adds headers to the request, after all others. */
  readonly decorate?: ((request: Request) => unknown) | undefined;
  /** The largest head of a response, in bytes. */
  readonly maxHeaderSize: number;
  /** The most headers of a response. */
  readonly maxHeadersCount: number;
  /** The deadline for all of it, in milliseconds; Infinity for none. */
  readonly handshakeMs: number;
  readonly clock: Clock;
}

/**
 * The opening handshake of a client (RFC 6455 section 4.1), one per object: writes the request, reads the response,
 * checks it.
 *
 * The head of the response decides. If it refuses, that is the outcome; its body gets a short time, and a failure only
 * cuts it.
 */
export class ClientHandshake extends Opening {
  readonly #input: HandshakeInput;
  readonly #key: string = newKey();
  readonly #parser: FinalResponseParser;

  constructor(next: ByteStream, input: HandshakeInput, owner: OpeningOwner, done: Handler) {
    super(next, owner, done);
    this.#input = input;
    const { maxHeaderSize, maxHeadersCount } = input;
    this.#parser = new FinalResponseParser({ maxHeaderSize, maxHeadersCount, maxBodySize: 0 });
  }

  /**
   * Throws for an invalid request, for a failed `decorate` hook, and the next layer's misuse errors; then nothing was
   * started.
   */
  start(signal?: AbortSignal): void {
    const request = this.#decorated(upgradeRequest({ ...this.#input, key: this.#key }));
    if (signal?.aborted === true) {
      this.abort(abortError(signal));
      return;
    }
    write(this.next, request, this.#onWritten);
    this.request = request;
    this.limit(attentive(this.#input.clock), this.#input.handshakeMs, signal);
  }

  #decorated(request: Request): Request {
    const { decorate } = this.#input;
    if (decorate === undefined) return request;
    const own = ownValues(request);
    let result: unknown;
    try {
      result = decorate(request);
    } catch (cause) {
      throw websocketError("websocket.handler_failed", { cause, message: "The decorate hook failed" });
    }
    checkDecorated(result);
    if (ownValues(request).every((value, i) => value === own[i])) return request;
    throw websocketError("websocket.bad_upgrade_result", {
      message:
        "decorate can add headers to the request, but not change the handshake's own headers, its method, target or body",
    });
  }

  readonly #onWritten = (error: ServalError | undefined): void => {
    if (this.isSettled) return;
    if (error !== undefined) {
      this.abort(error);
      return;
    }
    try {
      readResponse(this.next, this.buffer, this.#parser, this.#onRead);
    } catch (thrown) {
      const misuse = transportError(thrown);
      if (misuse.code === "core.operation_pending") this.withdraw(misuse);
      else this.abort(misuse);
    }
  };

  readonly #onRead = (error: ServalError | undefined, response: Response): void => {
    if (this.isSettled) return;
    if (error !== undefined) this.#fail(headError(error, "The server ended before it answered the handshake"));
    else if (response.status === 101) this.#check(response);
    else this.#readRefusal();
  };

  #readRefusal(): void {
    try {
      readRefusal(this.next, this.buffer, this.#parser, this.#input, () => this.#refused());
    } catch {
      // The next layer is used elsewhere.
      this.#refused();
    }
  }

  /** The server has refused, and no more of its response will come. */
  #refused(): void {
    if (this.isSettled) return;
    this.response = this.#parser.response!;
    this.abort(declined(this.response, this.#parser.isCut));
  }

  /** The response must agree to the request. */
  #check(response: Response): void {
    this.response = response;
    const { protocols, deflate } = this.#input;
    const agreement = checkUpgradeResponse(response, { key: this.#key, protocols, deflate });
    if (agreement instanceof ServalError) this.abort(agreement);
    else this.succeed({ ...agreement, rest: this.buffer.data() });
  }

  /** No more of the response will come: fails with the refusal, if its head is known, or else with the error. */
  #fail(error: ServalError): void {
    if (this.#parser.response === undefined) this.abort(error);
    else this.#refused();
  }

  protected override timedOut(error: ServalError): void {
    this.#fail(error);
  }

  protected override aborted(signal: AbortSignal): void {
    const { reason } = signal as { reason: unknown };
    // The caller's deadline, which began earlier, is treated like our own.
    if (reason instanceof ServalError && reason.condition === "timeout") this.timedOut(reason);
    else super.aborted(signal);
  }
}
