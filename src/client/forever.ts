import { ServalError, type Clock } from "../core/index.ts";
import {
  attentive,
  checkFunction,
  checkOptions,
  invalidArgument,
  isPlainObject,
  isPromise,
  offAbort,
  onAbort,
  optionSet,
} from "../core/internal.ts";
import { Stream, type Timeouts } from "../websocket/index.ts";
import { attempt } from "./attempt.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { connectOptions, ConnectSettings, type ConnectOptions } from "./options.ts";
import { retryAfter } from "./retry-after.ts";
import { parseUrl, type Endpoint } from "./url.ts";

/** Options of `connect.forever`, besides those of `connect`. */
export interface ForeverOptions<Data = unknown> extends ConnectOptions<Data> {
  /**
   * Ends the loop normally: aborts an attempt or a wait, closes the open stream, and terminates it if the server has not
   * answered within a second.
   */
  signal?: AbortSignal | undefined;
  /**
   * Deadlines. Default: those of `connect`, but with `idle: 60_000` and `keepAlivePings: true`, so that a server that goes
   * silent is noticed.
   */
  timeouts?: Partial<Timeouts> | undefined;
  /** How long to wait before another attempt. The Retry-After of a 503 or 429 can make it longer, up to an hour. */
  backoff?: BackoffOptions | undefined;
  /**
   * Called after a failed attempt, before the wait for the next one. False ends the loop, which throws the error; a
   * number is another delay, in milliseconds; anything else changes nothing. A promise is awaited. The loop throws what
   * this throws. Not called for misuse, since every attempt would fail in the same way.
   */
  retry?: ((error: ServalError, next: Retry) => unknown) | undefined;
}

/** What the option `retry` gets about the next attempt. */
export interface Retry {
  /**
   * The number of failures in a row, including this one. The end of a connection counts as a failure, but is not
   * reported.
   */
  readonly attempt: number;
  /** The wait before the next attempt, in milliseconds. */
  readonly delay: number;
}

const foreverOptions = optionSet("connect.forever", [...connectOptions.names, "backoff", "retry"]);

/** Connects, and connects again after each connection's end; see `connect.forever`. */
export function forever<Data = unknown>(
  url: string | URL,
  options: ForeverOptions<Data> = {},
): AsyncGenerator<Stream<Data>, void, void> {
  checkOptions(foreverOptions, options);
  const { backoff, retry, ...others } = options;
  checkFunction("retry", retry);
  const settings = new ConnectSettings<Data>({ ...others, timeouts: withLiveness(options.timeouts) });
  return run(parseUrl(url), settings, new Backoff(backoff), retry);
}

/** The deadlines, with liveness by default. Anything but an object is left for the check of the options. */
function withLiveness(given: Partial<Timeouts> = {}): Partial<Timeouts> {
  if (!isPlainObject(given)) return given;
  return { ...given, idle: given.idle ?? 60_000, keepAlivePings: given.keepAlivePings ?? true };
}

async function* run<Data>(
  endpoint: Endpoint,
  settings: ConnectSettings<Data>,
  backoff: Backoff,
  retry: ForeverOptions["retry"],
): AsyncGenerator<Stream<Data>, void, void> {
  const { signal, stream } = settings;
  const { clock } = stream;
  let failures = 0;
  while (!isAborted(signal)) {
    const result = await attempt(endpoint, settings).catch((error: unknown) => error);
    if (result instanceof Stream) {
      const opened = clock.now();
      yield* lent<Data>(result, clock, signal);
      // A connection that ended early counts like one that was refused.
      if (clock.now() - opened >= backoff.max) failures = 0;
    } else if (isAborted(signal)) {
      return;
    }
    let delay = backoff.delay(++failures);
    if (!(result instanceof Stream)) {
      if (!(result instanceof ServalError) || result.condition === "misuse") throw result;
      delay = Math.max(delay, retryAfter(result.response));
      const answer = await untilAborted(retry?.(result, { attempt: failures, delay }), signal);
      if (isAborted(signal)) return;
      if (answer === false) throw result;
      if (typeof answer === "number") delay = checkDelay(answer);
    }
    await pause(delay, clock, signal);
  }
}

function checkDelay(delay: number): number {
  if (delay >= 0 && delay < Infinity) return delay;
  throw invalidArgument(`retry must return a delay of 0 ms or more, or false, not ${delay}`);
}

/** The promise's result; undefined as soon as the signal aborts. */
async function untilAborted(answer: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (!isPromise(answer) || signal === undefined) return answer;
  let abort!: () => void;
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  if (signal.aborted) abort();
  else onAbort(signal, abort);
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    offAbort(signal, abort);
  }
}

/** Yields the stream to the loop, and closes it when the loop asks for the next one, is left, or the signal aborts. */
async function* lent<Data>(
  ws: Stream<Data>,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncGenerator<Stream<Data>, void, void> {
  let isEnded = false;
  void ws.closed.then(() => (isEnded = true));
  const close = async (): Promise<void> => (isEnded ? undefined : closeSoon(ws, clock));
  if (signal !== undefined) onAbort(signal, close);
  try {
    if (isAborted(signal)) return;
    yield ws;
    await close();
  } finally {
    if (signal !== undefined) offAbort(signal, close);
    await close();
  }
}

/** How long the server may take to answer a close that the next stream or the loop's end waits for, in milliseconds. */
const grace = 1_000;

/** Closes a stream, if it is still open, and terminates it after the grace. */
async function closeSoon(ws: Stream, clock: Clock): Promise<void> {
  const timer = attentive(clock).setTimer(grace, () => ws.terminate());
  await ws.close();
  timer.cancel();
}

/** Fulfils after this many milliseconds, or when the signal aborts. */
async function pause(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  if (isAborted(signal)) return;
  let wake!: () => void;
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const timer = clock.setTimer(ms, wake);
  if (signal !== undefined) onAbort(signal, wake);
  await woken;
  timer.cancel();
  if (signal !== undefined) offAbort(signal, wake);
}

/** A function, since TypeScript would assume that `aborted` does not change while something is awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
