import { abortError, complete, ServalError, type Handler } from "../../core/index.ts";
import { checkHandler, handled, offAbort, onAbort } from "../../core/internal.ts";
import type { Connection } from "../connection/connection.ts";
import { room } from "../connection/delivery.ts";
import type { Item } from "../connection/item.ts";
import type { Queued } from "../connection/sending.ts";

type Writes = Pick<Connection<unknown>, "hasWritten" | "waitWritten" | "withdraw">;

/**
 * Completes an operation that queues something: at once, when it has been written as far as is asked, or when the signal
 * aborts. Where nothing is to be waited for it makes no promise of its own. An error in the place of the session is misuse.
 */
export function transmit<Session extends Writes>(
  session: Session | ServalError,
  queue: (session: Session) => Queued,
  signal: AbortSignal | undefined,
  handler: Handler | undefined,
): Promise<void> | undefined {
  if (handler !== undefined) checkHandler(handler);
  let queued: Queued;
  try {
    if (session instanceof ServalError) throw session;
    queued = signal?.aborted === true ? abortError(signal) : queue(session);
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
  const opened = session as Session;
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

/** A handler that the signal may be quicker than. What has not begun to be sent is then withdrawn. */
function untilAborted(
  session: Pick<Writes, "withdraw">,
  item: number | Item,
  signal: AbortSignal,
  done: Handler,
): Handler {
  let isDone = false;
  const abort = (): void => {
    finish(abortError(signal));
    if (typeof item !== "number") session.withdraw(item);
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
