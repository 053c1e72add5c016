import { abortError, complete, ServalError, type Handler } from "../../core/index.ts";
import { checkHandler, discardSource, handled, offAbort, onAbort } from "../../core/internal.ts";
import { closeCode } from "../frames/close-code.ts";
import type { Connection } from "../connection/connection.ts";
import { room } from "../connection/delivery.ts";
import type { Item, Queued } from "../connection/item.ts";

type Writes = Pick<Connection<unknown>, "hasWritten" | "waitWritten" | "giveUp">;

/**
 * Runs an operation that queues something. It completes at once if there is room, when writing has come far enough, or
 * when the signal aborts; then a message whose source is still being read is cut with `abortCode`. Without anything to
 * wait for, it makes no promise. If `connection` is an error, the stream is not open. `source`, if the message has one,
 * is let go of if nothing can be queued.
 */
export function transmit<Open extends Writes>(
  connection: Open | ServalError,
  queue: (connection: Open) => Queued,
  signal: AbortSignal | undefined,
  handler: Handler | undefined,
  abortCode: number = closeCode.internalError,
  source?: unknown,
): Promise<void> | undefined {
  if (handler !== undefined) checkHandler(handler);
  let queued: Queued;
  try {
    if (connection instanceof ServalError) throw connection;
    queued = signal?.aborted === true ? abortError(signal) : queue(connection);
  } catch (misuse) {
    letGo(source);
    if (handler !== undefined) throw misuse;
    return handled(Promise.reject(misuse as Error));
  }
  if (queued instanceof ServalError) {
    const error = queued;
    letGo(source);
    if (handler === undefined) return handled(Promise.reject(error));
    queueMicrotask(() => handler(error));
    return undefined;
  }
  const opened = connection as Open;
  if (typeof queued === "number" && opened.hasWritten(queued)) {
    if (handler === undefined) return room;
    queueMicrotask(() => handler(undefined));
    return undefined;
  }
  const waiting = queued;
  return complete(handler, (done) => {
    const told = signal === undefined ? done : untilAborted(opened, waiting, signal, abortCode, done);
    if (typeof waiting === "number") opened.waitWritten(waiting, told);
    else waiting.handler = told;
  });
}

/** Stops a source of which nothing was read: a file would stay open, and a stream that fails would end the process. */
export function letGo(data: unknown): void {
  if (typeof data === "object" && data !== null && Symbol.asyncIterator in data) discardSource(data);
}

/** Wraps a handler, so that an abort of the signal completes it, and gives up what it waits for. */
function untilAborted(
  connection: Pick<Writes, "giveUp">,
  item: number | Item,
  signal: AbortSignal,
  abortCode: number,
  done: Handler,
): Handler {
  let isDone = false;
  const abort = (): void => {
    finish(abortError(signal));
    if (typeof item !== "number") connection.giveUp(item, abortCode);
  };
  const finish: Handler = (error) => {
    if (isDone) return;
    isDone = true;
    offAbort(signal, abort);
    // Another write with the same signal may have ended the connection before this one was told.
    if (signal.aborted) queueMicrotask(() => done(error === undefined ? undefined : abortError(signal)));
    else done(error);
  };
  onAbort(signal, abort);
  return finish;
}
