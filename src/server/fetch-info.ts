import { coreError, type ByteStream, type Peer } from "../core/index.ts";
import { currentContext, type AsyncContext } from "../core/internal.ts";
import { TlsStream } from "../net/index.ts";
import type { FetchInfo, TlsInfo } from "./options.ts";

/** The requests being answered whose handlers want to know of a drain. */
export class DrainSignals {
  readonly #waiting = new Set<RequestInfo>();
  #reason: Error | undefined;

  /** The reason of the signals; undefined before the drain. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  add(info: RequestInfo): void {
    this.#waiting.add(info);
  }

  delete(info: RequestInfo): void {
    this.#waiting.delete(info);
  }

  /** The drain begins. */
  abort(): void {
    this.#reason ??= coreError("core.aborted", { message: "The server is shutting down" });
    for (const info of this.#waiting) info.abort(this.#reason);
    this.#waiting.clear();
  }
}

/** What `fetch` gets besides the request. */
export class RequestInfo implements FetchInfo {
  readonly peer: Peer | undefined;
  readonly #stream: ByteStream;
  readonly #signals: DrainSignals;
  #controller: AbortController | undefined;
  /** The context in which the signal was asked for. */
  #context: AsyncContext | undefined;
  #hasEnded = false;

  constructor(peer: Peer | undefined, stream: ByteStream, signals: DrainSignals) {
    this.peer = peer;
    this.#stream = stream;
    this.#signals = signals;
  }

  get tls(): TlsInfo | undefined {
    for (let layer: ByteStream | undefined = this.#stream; layer !== undefined; layer = layer.nextLayer) {
      if (layer instanceof TlsStream) return layer;
    }
    return undefined;
  }

  /** Made when it is asked for, since most handlers answer at once. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const { reason } = this.#signals;
      if (reason !== undefined) this.#controller.abort(reason);
      else if (!this.#hasEnded) {
        this.#context = currentContext();
        this.#signals.add(this);
      }
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    const controller = this.#controller!;
    this.#context!.runInAsyncScope(controller.abort, controller, reason);
  }

  /** Whether the handler has failed because this signal told it to stop. */
  hasGivenUp(error: unknown): boolean {
    if (this.#controller?.signal.aborted !== true) return false;
    return error === this.#signals.reason || (error instanceof Error && error.name === "AbortError");
  }

  /** The response is sent, or there will be none. */
  end(): void {
    this.#hasEnded = true;
    if (this.#context !== undefined) this.#signals.delete(this);
  }
}
