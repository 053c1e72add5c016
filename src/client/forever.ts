import { ServalError, type Clock } from "../core/index.ts";
import { invalidArgument, isPlainObject, offAbort, onAbort, runReported } from "../core/internal.ts";
import { Stream } from "../websocket/index.ts";
import { attempt } from "./attempt.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { ConnectSettings, type ConnectOptions } from "./options.ts";
import { parseUrl, type Endpoint } from "./url.ts";

/** Options of `connect.forever`, besides those of `connect`. */
export interface ForeverOptions<Data = unknown> extends ConnectOptions<Data> {
  /** Ends the loop, normally: the attempt or the wait is given up, the open stream is closed. */
  signal?: AbortSignal | undefined;
  /** How long to wait before another attempt. */
  backoff?: BackoffOptions | undefined;
  /**
   * Whether another attempt is made after one that failed so; `failures` is how many have in a row. Not asked about
   * misuse, which no other attempt makes better. Default always.
   */
  retry?: ((error: ServalError, failures: number) => boolean) | undefined;
  /** Told of an attempt that failed, and in how many milliseconds the next one follows. */
  onRetry?: ((error: ServalError, delay: number, failures: number) => unknown) | undefined;
}

/** Connects, and connects again whenever that has ended; see `connect.forever`. */
export function forever<Data = unknown>(
  url: string | URL,
  options: ForeverOptions<Data> = {},
): AsyncGenerator<Stream<Data>, void, void> {
  if (!isPlainObject(options)) throw invalidArgument("connect.forever takes a plain object of options");
  const { backoff, retry, onRetry, ...others } = options;
  for (const [name, value] of Object.entries({ retry, onRetry })) {
    if (value !== undefined && typeof value !== "function") throw invalidArgument(`The option ${name} is a function`);
  }
  const settings = new ConnectSettings<Data>(others);
  return run(parseUrl(url), settings, { backoff: new Backoff(backoff), retry, onRetry });
}

interface Policy extends Pick<ForeverOptions, "retry" | "onRetry"> {
  readonly backoff: Backoff;
}

async function* run<Data>(
  endpoint: Endpoint,
  settings: ConnectSettings<Data>,
  { backoff, retry, onRetry }: Policy,
): AsyncGenerator<Stream<Data>, void, void> {
  const { signal, stream } = settings;
  const { clock } = stream;
  let failures = 0;
  while (!isAborted(signal)) {
    const result = await attempt(endpoint, settings).catch((error: unknown) => error);
    if (result instanceof Stream) {
      const opened = clock.now();
      yield* lent<Data>(result, signal);
      // One that was accepted only to be dropped counts like one that was refused.
      if (clock.now() - opened >= backoff.max) failures = 0;
    } else if (isAborted(signal)) {
      return;
    }
    const delay = backoff.delay(++failures);
    if (!(result instanceof Stream)) {
      const hopeless = !(result instanceof ServalError) || result.condition === "misuse";
      if (hopeless || retry?.(result, failures) === false) throw result;
      runReported(() => onRetry?.(result, delay, failures));
    }
    await pause(delay, clock, signal);
  }
}

/** Gives the stream to the loop, until it has ended; closes it if the loop or the signal ends first. */
async function* lent<Data>(
  ws: Stream<Data>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Stream<Data>, void, void> {
  const close = (): void => void ws.close();
  if (signal !== undefined) onAbort(signal, close);
  try {
    if (isAborted(signal)) return;
    yield ws;
    await ws.closed;
  } finally {
    if (signal !== undefined) offAbort(signal, close);
    await ws.close();
  }
}

/** Fulfils after so many milliseconds, or when the signal aborts. */
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

/** Asked anew each time: it changes while something is awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
