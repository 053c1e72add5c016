import { abortError, type Handler } from "../../core/index.ts";
import { offAbort, onAbort } from "../../core/internal.ts";
import type { ReceivedPart } from "../connection/receiver.ts";
import type { Session } from "../connection/session.ts";

type Reads = Pick<Session<unknown>, "read" | "readSome" | "cancelRead">;

/** How one thing is received. */
export interface Receiving {
  /** Whether what is left of a message that nobody wants any more has to be dropped first. */
  skips: boolean;
  signal: AbortSignal | undefined;
}

/**
 * Receives a message, or a part of one, until the signal aborts: then what it waited for stays for the next. Throws what
 * the session says of misuse. `start` returns the handler that it gave to the session, if that is another.
 */
export function receive<Result>(
  session: Reads,
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
    if (session.cancelRead(waiting)) queueMicrotask(() => done(abortError(signal!), undefined as Result));
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
    else session.readSome(skip);
  };
  if (skips) {
    waiting = skip;
    session.readSome(skip);
  } else startWanted();
  if (signal !== undefined) onAbort(signal, giveUp);
}
