import { abortError, complete, ServalError, type Handler } from "../../core/index.ts";
import { checkSignal, discardSource, handled, offAbort, onAbort, type OptionSet } from "../../core/internal.ts";
import { closeCode } from "../frames/close-code.ts";
import type { Connection } from "../connection/connection.ts";
import { room } from "../connection/delivery.ts";
import type { Item, Queued } from "../connection/item.ts";
import type { WriteOptions } from "../options/options.ts";
import type { MessageData } from "../options/handlers.ts";
import type { DataOpcode } from "../protocol/outgoing.ts";
import { handlerOf, optionsOf } from "./arguments.ts";
import { misused, type Failing } from "./misused.ts";

type Writes = Pick<Connection<unknown>, "hasWritten" | "waitWritten" | "giveUp"> & Failing;

/**
 * Runs an operation that queues something. It completes at once if there is room, when writing has come far enough, or
 * when the signal aborts; then a message whose source is still being read is cut with `abortCode`. Without anything to
 * wait for, it makes no promise. If `connection` is an error, the stream is not open. `given` are the caller's options,
 * of `set`, and handler. `source`, if the message has one, is let go of if nothing can be queued. Misuse throws with a
 * handler, and else rejects.
 */
export function transmit<Open extends Writes, Options extends WriteOptions>(
  connection: Open | ServalError,
  set: OptionSet,
  given: readonly unknown[],
  queue: (connection: Open, options: Options | undefined) => Queued,
  taker: string = set.taker,
  source?: unknown,
): Promise<void> | undefined {
  const handler = handlerOf<void>(given);
  let options: Options | undefined;
  let signal: AbortSignal | undefined;
  let queued: Queued;
  try {
    options = optionsOf<Options>(given, set, taker);
    signal = checkSignal(options?.signal);
    if (connection instanceof ServalError) throw connection;
    queued = signal?.aborted === true ? abortError(signal) : queue(connection, options);
  } catch (misuse) {
    letGo(source);
    if (handler !== undefined) throw misuse;
    return misused(connection, misuse);
  }
  if (queued instanceof ServalError) {
    const error = queued;
    letGo(source);
    if (handler === undefined)
      return error.condition === "misuse" ? misused(connection, error) : handled(Promise.reject(error));
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
    const told = signal === undefined ? done : untilAborted(opened, waiting, signal, options?.abortCode, done);
    if (typeof waiting === "number") opened.waitWritten(waiting, told);
    else waiting.handler = told;
  });
}

/** Sends a message without options, if it can be framed at once; undefined if nothing was done. */
export function transmitAtOnce(
  connection: Pick<Connection<unknown>, "frame" | "hasWritten" | "waitWritten"> & Failing,
  code: DataOpcode,
  data: MessageData,
): Promise<void> | undefined {
  let position: number | undefined;
  try {
    position = connection.frame(code, data, true);
  } catch (misuse) {
    return misused(connection, misuse);
  }
  if (position === undefined || connection.hasWritten(position)) return position === undefined ? undefined : room;
  const waiting = position;
  return complete(undefined, (done) => connection.waitWritten(waiting, done));
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
  abortCode: number = closeCode.internalError,
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
