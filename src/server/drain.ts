import type { Clock, Timer } from "../core/index.ts";
import {
  afterPoll,
  checkNumber,
  checkOptions,
  checkSignal,
  invalidArgument,
  offAbort,
  onAbort,
  optionSet,
} from "../core/internal.ts";
import { closeCode } from "../websocket/index.ts";
import { checkClose } from "../websocket/internal.ts";

/** Options of `drain`. */
export interface DrainOptions {
  /** How long the drain may take, in milliseconds; then the remaining connections are ended at once. Default 30,000. */
  timeout?: number | undefined;
  /** The close code sent to WebSockets. Default 1001, going away. */
  code?: number | undefined;
  /** The close reason sent to WebSockets, at most 123 bytes of UTF-8. Default empty. */
  reason?: string | undefined;
  /**
   * The milliseconds over which the closing of WebSockets is spread at random, so that their clients do not all come
   * back at once; less than `timeout`. Default 0.
   */
  jitter?: number | undefined;
  /** Ends the remaining connections at once when it aborts, as at the timeout. */
  signal?: AbortSignal | undefined;
}

/** How the connections of a drained server have ended. */
export interface DrainReport {
  /** How many WebSockets ended with a close handshake. */
  readonly closed: number;
  /**
   * How many WebSockets ended without a close handshake: the peer was gone, or did not answer within
   * `timeouts.handshake`.
   */
  readonly lost: number;
  /** How many WebSockets were cut off at the timeout. */
  readonly terminated: number;
  /**
   * How many plain connections ended between requests or after their last response, which may be a refused handshake.
   */
  readonly finished: number;
  /** How many plain connections were cut off at the timeout. */
  readonly cut: number;
  /** How long the drain took, in whole milliseconds. */
  readonly duration: number;
}

/** A WebSocket that can be closed. */
interface Closable {
  readonly hasOpened: boolean;
  close(options: { code: number; reason: string }): unknown;
  terminate(): void;
}

/** What can be drained. */
export interface Drainable {
  readonly clock: Clock;
  readonly sockets: ReadonlySet<Closable>;
  readonly plain: { readonly size: number; stop(): void; end(): void };
  /** How many handlers have an unsettled promise, including those of ended sockets. */
  readonly handlers: number;
}

/** The end of a server: closes everything open, waits for it, and cuts off the rest at the timeout. */
export class Drain {
  readonly report: Promise<DrainReport>;
  readonly #target: Drainable;
  readonly #code: number;
  readonly #reason: string;
  readonly #started: number;
  /** Sockets that will be closed later, for `jitter`. */
  readonly #waiting = new Map<Closable, Timer>();
  /** Signals that end the drain when they abort. */
  readonly #signals = new Set<AbortSignal>();
  /** The time by which all sockets must have been closed. */
  #closesUntil: number;
  #resolve!: (report: DrainReport) => void;
  #end: Timer | undefined;
  #endsAt = Infinity;
  #hasStopped = false;
  #hasExpired = false;
  #hasEnded = false;
  #closed = 0;
  #lost = 0;
  #terminated = 0;
  #finished = 0;
  #cut = 0;

  /** Throws `core.invalid_argument` for invalid options; then nothing has been done. */
  constructor(target: Drainable, options: DrainOptions = {}) {
    const { timeout, code, reason, jitter } = checked(options);
    this.#target = target;
    this.#code = code;
    this.#reason = reason;
    this.#started = target.clock.now();
    this.#closesUntil = this.#started + jitter;
    this.report = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#expireIn(timeout);
    // In a microtask, so that the call returns the report before any handler runs.
    queueMicrotask(() => {
      for (const ws of target.sockets) if (ws.hasOpened) this.close(ws);
      this.look();
    });
    this.#listen(options.signal);
  }

  #listen(signal: AbortSignal | undefined): void {
    if (signal === undefined || this.#signals.has(signal)) return;
    if (signal.aborted) queueMicrotask(this.#onAbort);
    else {
      this.#signals.add(signal);
      onAbort(signal, this.#onAbort);
    }
  }

  /** For Retry-After: the seconds until the drain has ended at the latest, or a guess if it has no timeout. */
  get secondsLeft(): number {
    if (this.#endsAt === Infinity) return 30;
    return Math.max(1, Math.ceil((this.#endsAt - this.#target.clock.now()) / 1000));
  }

  /** Applies the options of another call, if they end the drain sooner. */
  shorten(options: DrainOptions = {}): void {
    const { timeout, jitter } = checked(options);
    if (this.#hasEnded) return;
    this.#listen(options.signal);
    const now = this.#target.clock.now();
    if (now + timeout < this.#endsAt) this.#expireIn(timeout);
    if (now + jitter >= this.#closesUntil) return;
    this.#closesUntil = now + jitter;
    // Sockets that wait for their random time may have none left.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [ws, timer] of waiting) {
      timer.cancel();
      this.close(ws);
    }
  }

  /** Closes a socket, at its random time. */
  close(ws: Closable): void {
    if (this.#waiting.has(ws)) return;
    const close = (): void => void ws.close({ code: this.#code, reason: this.#reason });
    const { clock } = this.#target;
    const wait = Math.random() * (this.#closesUntil - clock.now());
    if (!(wait > 0)) {
      close();
      return;
    }
    const timer = clock.setTimer(wait, () => {
      this.#waiting.delete(ws);
      close();
    });
    this.#waiting.set(ws, timer);
  }

  /** A socket has ended. */
  left(clean: boolean): void {
    if (clean) this.#closed++;
    else if (this.#hasExpired) this.#terminated++;
    else this.#lost++;
    this.look();
  }

  /** A plain connection has ended, `isCut` if before its last response was sent. */
  plainLeft(isCut: boolean): void {
    if (this.#hasExpired && isCut) this.#cut++;
    else this.#finished++;
    this.look();
  }

  /**
   * Checks whether everything has ended. Plain connections are kept as long as there are sockets, since a proxy may
   * have sent a request on one.
   */
  look(): void {
    const { sockets, plain } = this.#target;
    if (this.#hasEnded || sockets.size > 0) return;
    if (!this.#hasStopped) {
      this.#hasStopped = true;
      plain.stop();
    }
    if (plain.size > 0 || (this.#target.handlers > 0 && !this.#hasExpired)) return;
    this.#hasEnded = true;
    this.#end?.cancel();
    for (const timer of this.#waiting.values()) timer.cancel();
    for (const signal of this.#signals) offAbort(signal, this.#onAbort);
    this.#resolve({
      closed: this.#closed,
      lost: this.#lost,
      terminated: this.#terminated,
      finished: this.#finished,
      cut: this.#cut,
      duration: Math.round(this.#target.clock.now() - this.#started),
    });
  }

  #expireIn(ms: number): void {
    this.#end?.cancel();
    this.#endsAt = this.#target.clock.now() + ms;
    this.#end = ms === Infinity ? undefined : this.#target.clock.setTimer(ms, this.#onDue);
  }

  readonly #onAbort = (): void => {
    if (this.#hasEnded) return;
    this.#end?.cancel();
    this.#onExpired();
  };

  /** The system that stops the process does not wait for longer, but bytes that are there are read first. */
  readonly #onDue = (): void => {
    this.#end = afterPoll(this.#onExpired);
  };

  readonly #onExpired = (): void => {
    this.#hasExpired = true;
    for (const ws of this.#target.sockets) ws.terminate();
    // Plain connections that wait for a request end as they do after the WebSockets; the rest is cut off.
    this.#target.plain.stop();
    this.#target.plain.end();
    this.look();
  };
}

const drainOptions = optionSet("drain", ["timeout", "code", "reason", "jitter", "signal"], "{ timeout: 10_000 }");

function checked(options: DrainOptions): { timeout: number; code: number; reason: string; jitter: number } {
  checkOptions(drainOptions, options);
  checkSignal(options.signal);
  const timeout = checkNumber("timeout", options.timeout, 30_000, { unit: "milliseconds" });
  const jitter = checkNumber("jitter", options.jitter, 0, { unit: "milliseconds", isLimit: false });
  const { code, reason } = checkClose({ code: closeCode.goingAway, ...defined(options) });
  if (jitter > 0 && jitter >= timeout) {
    throw invalidArgument(`jitter must be less than timeout, which is ${timeout}, not ${jitter}`);
  }
  return { timeout, code, reason, jitter };
}

function defined({ code, reason }: DrainOptions): { code?: number; reason?: string } {
  return { ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) };
}
