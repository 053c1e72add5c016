import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { coreError, type ByteStream, type Clock, type ServalError } from "../core/index.ts";
import { attentive, currentContext } from "../core/internal.ts";
import type { PlainConnections } from "./hub.ts";

/** An upgrade after requests without a response. */
export interface Pipelined {
  /** The socket that `node:http` writes its responses to. */
  readonly socket: Duplex;
  /** The responses to the requests before the upgrade, in order; at least one. */
  readonly responses: readonly ServerResponse[];
  /** The stream over the socket, if bytes may be read from it; then it is seen if the client goes. */
  readonly stream?: ByteStream;
}

/** How long an upgrade waits, in milliseconds. */
export interface WaitLimit {
  readonly clock: Clock;
  readonly timeout: number;
}

/**
 * Upgrades that came right after requests which `node:http` has not answered yet. Responses leave in the order of the
 * requests (RFC 9112 9.3.2), and would otherwise end up between frames.
 */
export class PipelinedUpgrades implements PlainConnections {
  /** What ends each that waits. */
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Each gets its refusal when its turn comes. */
  stop(): void {}

  end(): void {
    for (const end of this.#waiting) end();
  }

  /**
   * Waits until the responses are sent, and calls `done` in the caller's async context. It gets an error if the
   * connection must not be used any more: the client has gone, the time is up, or the last response ended it.
   */
  wait(
    { socket, stream, responses, clock, timeout }: Pipelined & WaitLimit,
    done: (error: ServalError | undefined) => void,
  ): void {
    const last = responses.at(-1)!;
    const context = currentContext();
    const settle = (error?: ServalError): void => {
      if (!this.#waiting.delete(end)) return;
      timer?.cancel();
      socket.off("drain", resume);
      socket.off("close", onClose);
      last.off("finish", onFinish);
      context.runInAsyncScope(done, undefined, error);
    };
    const end = (): void => settle(coreError("core.aborted"));
    const onClose = (): void => settle(coreError("core.connection_reset"));
    // `node:http` has ended the socket by now, if the response said so.
    const onFinish = (): void => settle(socket.writableEnded ? coreError("core.write_ended") : undefined);
    // The upgrade has taken the socket from the parser, which passed these on until then.
    const resume = (): void => {
      for (const response of responses)
        if (response.socket === socket && !response.writableEnded) response.emit("drain");
    };
    const timer =
      timeout === Infinity ? undefined : attentive(clock).setTimer(timeout, () => settle(coreError("core.timeout")));
    this.#waiting.add(end);
    socket.on("drain", resume);
    socket.on("close", onClose);
    last.on("finish", onFinish);
    stream?.watch((error) => {
      if (error !== undefined) settle(error);
      // As `node:http` does with a client that has ended its side: what is written already is sent.
      else socket.end(onClose);
    });
  }
}
