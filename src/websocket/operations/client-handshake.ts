import {
  abortError,
  ServalError,
  transportError,
  type ByteStream,
  type Clock,
  type Handler,
  type ReadHandler,
  type WriteHandler,
} from "../../core/index.ts";
import { attentive, encodeLatin1, type Cancellation } from "../../core/internal.ts";
import {
  FinalResponseParser,
  serialize,
  type FieldsInit,
  type FinalResponseParserOptions,
  type Request,
  type Response,
} from "../../http/index.ts";
import { readRefusal } from "../../http/internal.ts";
import { websocketError } from "../frames/errors.ts";
import { newKey } from "../handshake/accept-key.ts";
import { checkUpgradeResponse, declined, ownValues, upgradeHead, upgradeRequest } from "../handshake/client-rules.ts";
import type { DeflateSettings } from "../handshake/permessage-deflate.ts";
import type { Settings } from "../options/settings.ts";
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

/** The part of {@link HandshakeInput} that differs between the connections of one client. */
export type UpgradeInput = Pick<HandshakeInput, "host" | "target" | "protocols" | "headers">;

/** The input of a handshake with a stream's settings, and a deadline in milliseconds. */
export function inputOf(
  { host, target, protocols, headers }: UpgradeInput,
  handshakeMs: number,
  { maxHeaderSize, maxHeadersCount, deflate, clock, options: hooks }: Settings<never>,
): HandshakeInput {
  const decorate = hooks.decorate && ((request: Request): unknown => hooks.decorate!(request, undefined));
  return { host, target, protocols, headers, deflate, decorate, maxHeaderSize, maxHeadersCount, handshakeMs, clock };
}

/** One object for all handshakes with the same limits: a parser checks its options once. */
let parserOptions: FinalResponseParserOptions = { maxHeaderSize: 0, maxHeadersCount: 0, maxBodySize: 0 };

function parserOf({ maxHeaderSize, maxHeadersCount }: HandshakeInput): FinalResponseParser {
  if (parserOptions.maxHeaderSize !== maxHeaderSize || parserOptions.maxHeadersCount !== maxHeadersCount) {
    parserOptions = { maxHeaderSize, maxHeadersCount, maxBodySize: 0 };
  }
  return new FinalResponseParser(parserOptions);
}

/**
 * The opening handshake of a client (RFC 6455 section 4.1), one per object: writes the request, reads the response,
 * checks it.
 *
 * The head of the response decides. If it refuses, that is the outcome; its body gets a short time, and a failure only
 * cuts it.
 */
export class ClientHandshake extends Opening {
  /** The text of the request, instead of the request itself, if no hook adds to that. */
  head: string | undefined;
  readonly #input: HandshakeInput;
  readonly #key: string = newKey();
  readonly #parser: FinalResponseParser;

  /** What is not yet sent of the request. */
  #unsent: Uint8Array | undefined;

  constructor(next: ByteStream, input: HandshakeInput, owner: OpeningOwner, done: Handler) {
    super(next, owner, done);
    this.#input = input;
    this.#parser = parserOf(input);
  }

  /**
   * Throws for an invalid request, for a failed `decorate` hook, and the next layer's misuse errors; then nothing was
   * started.
   */
  start(signal?: Cancellation): void {
    const input = this.#input;
    const request = input.decorate === undefined ? undefined : this.#decorated(input.decorate);
    const head = request === undefined ? upgradeHead(input, this.#key) : undefined;
    if (signal?.aborted === true) {
      this.abort(abortError(signal));
      return;
    }
    this.#unsent = request === undefined ? encodeLatin1(head!) : serialize(request as Request<Uint8Array>);
    this.next.writeSome(this.#unsent, this.#onWritten);
    this.request = request;
    this.head = head;
    this.limit(attentive(input.clock), input.handshakeMs, signal);
  }

  #decorated(decorate: (request: Request) => unknown): Request {
    const request = upgradeRequest({ ...this.#input, key: this.#key });
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

  readonly #onWritten: WriteHandler = (error, written) =>
    this.context.runInAsyncScope(this.#written, this, error, written);

  #written(error: ServalError | undefined, written: number): void {
    if (this.isSettled) return;
    if (error !== undefined) {
      this.abort(error);
      return;
    }
    const unsent = this.#unsent!;
    this.#unsent = written < unsent.length ? unsent.subarray(written) : undefined;
    try {
      if (this.#unsent === undefined) this.next.readSome(this.#onRead);
      else this.next.writeSome(this.#unsent, this.#onWritten);
    } catch (thrown) {
      const misuse = transportError(thrown);
      if (misuse.code === "core.operation_pending") this.withdraw(misuse);
      else this.abort(misuse);
    }
  }

  readonly #onRead: ReadHandler = (error, bytes) => this.context.runInAsyncScope(this.#received, this, error, bytes);

  #received(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    if (this.isSettled) return;
    let failure = error;
    if (error === undefined) {
      try {
        this.parse(this.#parser, bytes);
        if (!this.#parser.isDone) {
          this.next.readSome(this.#onRead);
          return;
        }
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    if (failure !== undefined) this.#fail(headError(failure, "The server ended before it answered the handshake"));
    else this.#answered(this.#parser.response!);
  }

  #answered(response: Response): void {
    if (response.status === 101) this.#check(response);
    else this.#readRefusal();
  }

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

  protected override aborted(signal: Cancellation): void {
    const { reason } = signal;
    // The caller's deadline, which began earlier, is treated like our own.
    if (reason instanceof ServalError && reason.condition === "timeout") this.timedOut(reason);
    else super.aborted(signal);
  }
}
