import { abortError, type Handler } from "../../core/index.ts";
import { offAbort, onAbort } from "../../core/internal.ts";
import type { ReceivedPart } from "../connection/delivery.ts";
import type { Connection } from "../connection/connection.ts";

type Reads = Pick<Connection<unknown>, "read" | "readSome" | "cancelRead">;

/** How one thing is received. */
export interface Receiving {
  /** Whether the rest of a message that is no longer wanted has to be dropped first. */
  skips: boolean;
  signal: AbortSignal | undefined;
}

/**
 * Starts a read, and ends it when the signal aborts; the next read then gets the data. Throws the connection's error for
 * misuse. `start` returns the handler that it passed to the connection, if that is not the one it was given.
 */
export function receive<Result>(
  connection: Reads,
  { skips, signal }: Receiving,
  start: (handler: Handler<Result>) => unknown,
  done: Handler<Result>,
): void {
  if (!skips && signal === undefined) {
    start(done);
    return;
  }
  if (signal?.aborted === true) {
    queueMicrotask(() => done(abortError(signal), undefined as Result));
    return;
  }
  let waiting: unknown;
  const giveUp = (): void => {
    offAbort(signal!, giveUp);
    if (connection.cancelRead(waiting)) queueMicrotask(() => done(abortError(signal!), undefined as Result));
  };
  const finish: Handler<Result> = (error, result) => {
    if (signal !== undefined) offAbort(signal, giveUp);
    done(error, result);
  };
  const startWanted = (): void => {
    waiting = start(finish) ?? finish;
  };
  const skip: Handler<ReceivedPart> = (error, part) => {
    if (error !== undefined) finish(error, undefined as Result);
    else if (part.done) startWanted();
    else connection.readSome(skip);
  };
  if (skips) {
    waiting = skip;
    connection.readSome(skip);
  } else startWanted();
  if (signal !== undefined) onAbort(signal, giveUp);
}
