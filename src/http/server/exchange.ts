import type { ByteStream, ServalError } from "../../core/index.ts";
import type { Request } from "../messages/request.ts";
import type { Exchange } from "./serve-options.ts";

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly stream: ByteStream;
  /** See `Exchange.release`. */
  release(exchange: RequestExchange): Uint8Array;
  /** Someone has asked whether the client goes, while it waits. */
  watch(): void;
}

/** One request and its response on a connection, as its handler sees them. */
export class RequestExchange implements Exchange {
  readonly #request: Request;
  readonly #owner: ExchangeOwner;
  #controller: AbortController | undefined;
  /** Why there will be no response. */
  #error: ServalError | undefined;
  /** Whether the response is waited for, or being sent: from when the handler has returned without one that is whole. */
  isPending = false;

  constructor(request: Request, owner: ExchangeOwner) {
    this.#request = request;
    this.#owner = owner;
  }

  get stream(): ByteStream {
    return this.#owner.stream;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#error !== undefined) this.#controller.abort(this.#error);
      else if (this.isPending) this.#owner.watch();
    }
    return this.#controller.signal;
  }

  /**
   * Whether a read is to find out if the client goes: not where the stream may be released, and not where the connection
   * ends after the response, since no read may be in flight then.
   */
  get isWatched(): boolean {
    if (this.#controller === undefined || !this.isPending) return false;
    return this.#request.version >= 11 && this.#request.keepAlive && !asksToSwitch(this.#request);
  }

  release(): Uint8Array {
    return this.#owner.release(this);
  }

  /** Whether a handler's failure is that it has given up, as the signal told it to. */
  hasGivenUp(failure: unknown): boolean {
    if (this.#controller?.signal.aborted !== true) return false;
    return failure === this.#error || (failure instanceof Error && failure.name === "AbortError");
  }

  /** The connection has been lost, or closed, before the response was sent. */
  fail(error: ServalError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const controller = this.#controller;
    // Not inside the application's own call, nor one of the stream's.
    if (controller !== undefined) queueMicrotask(() => controller.abort(error));
  }
}

/** Whether a request asks for another protocol on its stream: RFC 9110 7.8 and 9.3.6. */
export function asksToSwitch({ method, headers }: Request): boolean {
  return headers.has("Upgrade") || method === "CONNECT";
}
