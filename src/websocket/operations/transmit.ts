import { abortError, complete, ServalError, type Handler } from "../../core/index.ts";
import { checkHandler, handled, offAbort, onAbort } from "../../core/internal.ts";
import type { Connection } from "../connection/connection.ts";
import { room } from "../connection/delivery.ts";
import type { Item, Queued } from "../connection/item.ts";

type Writes = Pick<Connection<unknown>, "hasWritten" | "waitWritten" | "withdraw">;

/**
 * Runs an operation that queues something. It completes at once if there is room, when writing has come far enough, or when
 * the signal aborts. Without anything to wait for, it makes no promise. If `connection` is an error, the stream is not open.
 */
export function transmit<Open extends Writes>(
  connection: Open | ServalError,
  queue: (connection: Open) => Queued,
  signal: AbortSignal | undefined,
  handler: Handler | undefined,
): Promise<void> | undefined {
  if (handler !== undefined) checkHandler(handler);
  let queued: Queued;
  try {
    if (connection instanceof ServalError) throw connection;
    queued = signal?.aborted === true ? abortError(signal) : queue(connection);
  } catch (misuse) {
    if (handler !== undefined) throw misuse;
    return handled(Promise.reject(misuse as Error));
  }
  if (queued instanceof ServalError) {
    const error = queued;
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
    const told = signal === undefined ? done : untilAborted(opened, waiting, signal, done);
    if (typeof waiting === "number") opened.waitWritten(waiting, told);
    else waiting.handler = told;
  });
}

/** Wraps a handler, so that an abort of the signal completes it. A message that has not begun to be sent is withdrawn. */
function untilAborted(
  connection: Pick<Writes, "withdraw">,
  item: number | Item,
  signal: AbortSignal,
  done: Handler,
): Handler {
  let isDone = false;
  const abort = (): void => {
    finish(abortError(signal));
    if (typeof item !== "number") connection.withdraw(item);
  };
  const finish: Handler = (error) => {
    if (isDone) return;
    isDone = true;
    offAbort(signal, abort);
    if (signal.aborted) queueMicrotask(() => done(error));
    else done(error);
  };
  onAbort(signal, abort);
  return finish;
}
