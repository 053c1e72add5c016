import { connect, type ConnectOptions } from "../../client/index.ts";
import { ServalError, systemClock, type Clock, type Timer } from "../../core/index.ts";
import type { Stream } from "../../websocket/index.ts";
import { LoadConnection, Template } from "./load-connection.ts";
import type { LoadOptions } from "./load-options.ts";
import { Ring } from "./ring.ts";
import { Schedule } from "./schedule.ts";
import { Tally } from "./tally.ts";

type Ws = Stream<LoadConnection>;

/** How long an interrupted load waits for peers to close, in milliseconds. */
const patience = 2000;

/**
 * A load on a server: opens connections, sends messages, waits for the answers in flight, closes. `tally` has the
 * counts at any time.
 */
export class Load {
  readonly tally: Tally = new Tally();
  readonly #options: LoadOptions;
  readonly #clock: Clock;
  readonly #template: Template;
  readonly #connections = new Set<LoadConnection>();
  readonly #stop = new AbortController();
  readonly #timers = new Set<Timer>();
  /** Free places, in FIFO order: each is a connection that can send one more message. */
  readonly #places: Ring<LoadConnection>;
  #schedule: Schedule = new Schedule(0, 0, 0);
  #left: number;
  /** Messages in flight; without answers, connections that have no room. */
  #out = 0;
  /** Time of the last received message, or of the first sent while none was in flight. */
  #lastProgress = 0;
  #phase: "opening" | "sending" | "waiting" | "closing" = "opening";
  /** Whether drained connections are due to send, in the next turn. */
  #isComing = false;
  #sendingEnded = 0;
  #lastCounted = 0;
  #finished!: () => void;
  /** Fulfils when sending has ended and no answer is awaited. */
  readonly #whenFinished = new Promise<void>((resolve) => (this.#finished = resolve));
  /** Fulfils when all connections have ended. */
  #emptied: () => void = () => {};

  constructor(options: LoadOptions, clock: Clock = systemClock) {
    this.#options = options;
    this.#clock = clock;
    this.#template = new Template(options);
    this.#left = options.messages;
    this.#places = new Ring(options.connections * (options.echo ? options.depth : 1));
  }

  /**
   * Runs to the end; the signal ends it early. Rejects only with misuse, such as `client.bad_url`; all other failures
   * are counted.
   */
  async run(signal?: AbortSignal): Promise<Tally> {
    const interrupt = (): void => {
      this.tally.interrupted = true;
      this.#stop.abort();
      this.#finish();
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    if (signal?.aborted === true) interrupt();
    try {
      await this.#openAll();
      if (!this.tally.interrupted && this.#connections.size > 0) await this.#send();
    } finally {
      this.#finish();
      for (const timer of this.#timers) timer.cancel();
      await this.#closeAll();
      signal?.removeEventListener("abort", interrupt);
    }
    return this.tally;
  }

  // ---- opening ----

  async #openAll(): Promise<void> {
    const { connections, opening } = this.#options;
    const options = this.#connectOptions();
    let left = connections;
    const openSome = async (): Promise<void> => {
      while (left > 0 && !this.#stop.signal.aborted) {
        left--;
        await this.#openOne(options);
      }
    };
    await Promise.all(Array.from({ length: Math.min(opening, connections) }, openSome));
  }

  async #openOne(options: ConnectOptions<LoadConnection>): Promise<void> {
    const start = this.#clock.now();
    try {
      await connect<LoadConnection>(this.#options.url, options);
      this.tally.opening.record(this.#clock.now() - start);
    } catch (error) {
      const isKnown = error instanceof ServalError && error.condition !== "misuse";
      if (!isKnown) {
        this.#stop.abort();
        throw error;
      }
      if (!this.#stop.signal.aborted) this.tally.failed(error);
    }
  }

  #connectOptions(): ConnectOptions<LoadConnection> {
    const { client, size, depth, echo } = this.#options;
    const { tally } = this;
    return {
      ...client,
      signal: this.#stop.signal,
      clock: this.#clock,
      text: "bytes",
      maxMessageSize: Math.max(size, 16 * 1024 * 1024),
      // `depth` bounds the messages in flight; without answers, a message is only sent when there is room.
      overflow: "wait",
      open: (ws) => {
        ws.data = new LoadConnection(ws, tally.opened++, depth, this.#template, tally);
        tally.open++;
        this.#connections.add(ws.data);
      },
      message: echo
        ? (ws, message) => this.#answer(ws.data, message as Uint8Array)
        : (_, message) => this.#hear(message),
      drain: echo ? undefined : (ws) => this.#drained(ws.data),
      // `core.aborted` comes from our own `terminate` and is no failure.
      error: (_, error) => void (error.code !== "core.aborted" && tally.broke(error)),
      close: (ws, { code }) => this.#closed(ws, code),
    };
  }

  #closed({ data: connection }: Ws, code: number): void {
    if (connection === undefined) return;
    this.tally.closed(code, this.#phase !== "closing");
    this.#connections.delete(connection);
    if (!this.tally.interrupted) connection.loseUntold();
    if (this.#phase !== "closing") this.#out -= connection.giveUp(false);
    if (this.#connections.size > 0) this.#isDone();
    else if (this.#phase !== "opening") {
      this.#finish();
      this.#emptied();
    }
  }

  // ---- sending ----

  async #send(): Promise<void> {
    const { tally } = this;
    const { rate, warmup, duration, depth, echo } = this.#options;
    const start = this.#clock.now();
    const end = start + warmup + duration;
    tally.since = this.#lastCounted = start + warmup;
    let before = process.cpuUsage();
    if (warmup > 0) this.#after(warmup, () => (before = process.cpuUsage()));
    this.#phase = "sending";
    this.#schedule = new Schedule(rate, start, end);
    if (end === Infinity) this.#watch();
    else {
      this.#after(end - start, () => {
        // Send the messages that are due by now, then stop.
        this.#serveDue();
        this.#stopSending();
      });
    }
    for (let i = 0; i < (echo ? depth : 1); i++) for (const each of this.#connections) this.#places.push(each);
    this.#serveDue();

    await this.#whenFinished;
    const now = this.#clock.now();
    // Answers that arrive after the end extend the time.
    const until = Math.max(Math.min(end, this.#sendingEnded), this.#lastCounted);
    tally.elapsed = Math.max(0, until - tally.since);
    tally.unsent = Math.min(this.#left, this.#schedule.missed(tally.since, Math.min(now, this.#sendingEnded)));
    const { user, system } = process.cpuUsage(before);
    tally.processor = (user + system) / 1000;
  }

  /** Sends the messages that are due, as long as there are places, and sets a timer for the next one. */
  #serveDue(): void {
    const now = this.#clock.now();
    while (this.#places.size > 0 && this.#next(now) <= now) this.#serve(this.#places.shift()!, now);
    const { rate } = this.#options;
    if (rate === undefined || this.#phase !== "sending") return;
    const next = this.#next(now);
    // An overdue message needs a place, not a timer; it is looked at again in 1 ms.
    if (next < Infinity) this.#after(Math.max(1, next - now), () => this.#serveDue());
  }

  #next(now: number): number {
    return this.#phase === "sending" ? this.#schedule.next(now) : Infinity;
  }

  /** Uses a free place on this connection: sends the next message if it is due, or returns the place. */
  #serve(connection: LoadConnection, now: number): void {
    while (connection.ws.isOpen) {
      const due = this.#next(now);
      if (due > now) {
        if (due < Infinity) this.#places.push(connection);
        return;
      }
      this.#schedule.take();
      if (this.#out === 0) this.#lastProgress = now;
      let isFull = true;
      if (this.#options.echo) connection.ask(due);
      else isFull = !connection.tell(due);
      if (isFull) this.#out++;
      if (!this.#options.echo && this.tally.isCounted(due)) this.#lastCounted = now;
      if (this.tally.isCounted(due) && --this.#left === 0) this.#stopSending();
      if (isFull) return;
    }
  }

  #answer(connection: LoadConnection, message: Uint8Array): void {
    if (this.#phase === "closing") return;
    const now = this.#clock.now();
    const { received } = this.tally;
    const free = connection.answered(message, now);
    this.#lastProgress = now;
    if (this.tally.received > received) this.#lastCounted = now;
    this.#out -= free;
    for (let i = 0; i < free; i++) this.#serve(connection, now);
    this.#isDone();
  }

  /** Counts a message that answers nothing. */
  #hear(message: string | Uint8Array): void {
    const { tally } = this;
    if (!tally.isCounted(this.#clock.now())) return;
    tally.received++;
    tally.bytesReceived += message.length;
  }

  #drained(connection: LoadConnection): void {
    if (this.#phase === "closing") return;
    this.#out--;
    this.#lastProgress = this.#clock.now();
    this.#places.push(connection);
    if (this.#isComing) return;
    this.#isComing = true;
    // Sending here would starve reads and timers if the transport takes everything at once; so it waits for the next
    // turn.
    setImmediate(() => {
      this.#isComing = false;
      const at = this.#clock.now();
      for (let i = this.#places.size; i > 0 && this.#next(at) <= at; i--) this.#serve(this.#places.shift()!, at);
    });
  }

  // ---- ending ----

  #stopSending(): void {
    if (this.#phase !== "sending") return;
    this.#phase = "waiting";
    this.#sendingEnded = this.#clock.now();
    if (this.#options.duration < Infinity) this.#watch();
    this.#isDone();
  }

  #isDone(): void {
    if (this.#phase === "waiting" && (this.#out === 0 || !this.#options.echo)) this.#finish();
  }

  /** Gives up when nothing has arrived for as long as a connection may take to open. */
  #watch(): void {
    const { handshake } = this.#options.client.timeouts;
    const silence = this.#out === 0 ? 0 : this.#clock.now() - this.#lastProgress;
    if (silence >= handshake) this.#finish();
    else this.#after(handshake - silence, () => this.#watch());
  }

  #finish(): void {
    if (this.#phase === "closing") return;
    if (this.#phase === "sending") this.#sendingEnded = this.#clock.now();
    this.#phase = "closing";
    this.#finished();
  }

  async #closeAll(): Promise<void> {
    const { tally } = this;
    const { interrupted } = tally;
    const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
    for (const connection of this.#connections) {
      const missing = connection.giveUp(interrupted);
      // A peer that does not answer messages may not answer a close either.
      if (missing > 0 && !interrupted) connection.ws.terminate();
      else void connection.ws.close();
    }
    const terminateAll = (): void => {
      for (const { ws } of this.#connections) ws.terminate();
    };
    const timer = interrupted ? this.#clock.setTimer(patience, terminateAll) : undefined;
    if (this.#connections.size > 0) await emptied;
    timer?.cancel();
  }

  #after(ms: number, expired: () => void): void {
    const timer = this.#clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      expired();
    });
    this.#timers.add(timer);
  }
}
