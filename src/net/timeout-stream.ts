import {
  coreError,
  type ByteStream,
  type Clock,
  type Peer,
  type ReadHandler,
  type ShutdownHandler,
  type Timer,
  type WatchHandler,
  type WriteHandler,
} from "../core/index.ts";
import {
  attentive,
  checkByteStream,
  checkClock,
  checkOptions,
  invalidArgument,
  ownOptions,
  type AttentiveClock,
} from "../core/internal.ts";

/** Options of a {@link TimeoutStream}. */
export interface TimeoutStreamOptions {
  /** The source of time. Default: the platform's. */
  clock?: Clock | undefined;
}

const timeoutStreamOptions = ownOptions("TimeoutStream", ["clock"], "{ clock }");

/**
 * Deadlines for a stream. An operation (read, write, shutdown) has the deadline that is set when it starts; later
 * changes do not affect it. When a deadline passes, the next layer is closed, and all operations in flight and later
 * ones complete with `core.timeout`, until `close`. If it has passed before an operation starts, the operation fails at
 * once without being started below. What is there when a deadline passes is read first, and a time in which the event
 * loop was blocked does not count. A watch has no deadline; another operation's that passes ends it too.
 *
 * Without a deadline, the default, operations wait forever. The timer does not keep the process alive, and a deadline
 * set before each operation does not cost a timer each. A WebSocket stream has timeouts of its own: call `expiresNever`
 * on the stream below one that is open.
 */
export class TimeoutStream implements ByteStream {
  /** The layer below. */
  readonly nextLayer: ByteStream;
  /** What measures the deadlines. */
  readonly #time: AttentiveClock;
  /** The deadline of operations that start from now on. */
  #deadline = Infinity;
  #reader: ReadHandler | undefined;
  /** Of the write or the shutdown in flight. */
  #writer: WriteHandler | undefined;
  /** The deadline of the read in flight; Infinity if there is none. */
  #readDeadline = Infinity;
  #writeDeadline = Infinity;
  #timer: Timer | undefined;
  /** The earliest time at which the timer may fire. */
  #due = Infinity;
  #timedOut = false;
  #closed = false;

  constructor(nextLayer: ByteStream, options: TimeoutStreamOptions = {}) {
    this.nextLayer = checkByteStream("TimeoutStream", nextLayer);
    checkOptions(timeoutStreamOptions, options);
    this.#time = attentive(checkClock(options.clock));
  }

  /** The next layer's peer. */
  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  /**
   * Operations that start from now on must all complete within `ms` milliseconds from now. Infinity means never; 0 or
   * less has already passed. Throws `core.invalid_argument` if `ms` is not a number.
   */
  expiresAfter(ms: number): void {
    checkTime(ms);
    this.#deadline = this.#now() + ms;
  }

  /** Like {@link expiresAfter}, but `time` is a time of the clock, in milliseconds. */
  expiresAt(time: number): void {
    checkTime(time);
    this.expiresAfter(time - this.#time.clock.now());
  }

  /** Operations that start from now on have no deadline. */
  expiresNever(): void {
    this.#deadline = Infinity;
  }

  readSome(handler: ReadHandler): void {
    const deadline = this.#start();
    this.nextLayer.readSome(this.#onRead);
    this.#reader = handler;
    this.#readDeadline = deadline;
    if (deadline < this.#due) this.#arm(deadline);
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    const deadline = this.#start();
    this.nextLayer.writeSome(buffers, this.#onWritten);
    this.#writer = handler;
    this.#writeDeadline = deadline;
    if (deadline < this.#due) this.#arm(deadline);
  }

  shutdown(handler: ShutdownHandler): void {
    const deadline = this.#start();
    this.nextLayer.shutdown(this.#onShutdown);
    this.#writer = handler;
    this.#writeDeadline = deadline;
    if (deadline < this.#due) this.#arm(deadline);
  }

  watch(handler: WatchHandler): void {
    this.nextLayer.watch((error) => {
      handler(error !== undefined && this.#isTimeout ? coreError("core.timeout") : error);
    });
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    this.nextLayer.close();
  }

  reset(): void {
    this.#closed = true;
    this.#disarm();
    this.nextLayer.reset();
  }

  /** The deadline of the operation that is about to start; Infinity if there is none or the layer is closed. */
  #start(): number {
    if (this.#timedOut || this.#closed) return Infinity;
    const deadline = this.#deadline;
    if (deadline === Infinity || this.#now() < deadline) return deadline;
    // Closed before the start, so that nothing more is read or sent. On a closed layer the operation completes as
    // usual.
    this.#expire();
    return Infinity;
  }

  #now(): number {
    return this.#time.clock.now() - this.#time.lost;
  }

  #arm(deadline: number): void {
    this.#timer?.cancel();
    this.#due = deadline;
    this.#timer = this.#time.setTimer(deadline - this.#now(), this.#onTimer);
    this.#timer.unref?.();
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Infinity;
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#due = Infinity;
    const earliest = Math.min(this.#readDeadline, this.#writeDeadline);
    // The operation that the timer was set for may have completed, and others may be in flight.
    if (earliest <= this.#now()) this.#expire();
    else if (earliest < Infinity) this.#arm(earliest);
  };

  #expire(): void {
    this.#timedOut = true;
    this.#disarm();
    this.nextLayer.close();
  }

  /** Whether an error of the next layer comes from our own close at a deadline. */
  get #isTimeout(): boolean {
    return this.#timedOut && !this.#closed;
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    const reader = this.#reader!;
    this.#reader = undefined;
    this.#readDeadline = Infinity;
    if (this.#isTimeout) reader(coreError("core.timeout"), undefined);
    else reader(error, bytes);
  };

  readonly #onWritten: WriteHandler = (error, written) => {
    const writer = this.#writer!;
    this.#writer = undefined;
    this.#writeDeadline = Infinity;
    writer(this.#isTimeout ? coreError("core.timeout") : error, written);
  };

  readonly #onShutdown: ShutdownHandler = (error) => {
    this.#onWritten(error, 0);
  };
}

function checkTime(ms: number): void {
  if (typeof ms === "number" && !Number.isNaN(ms)) return;
  throw invalidArgument("A deadline must be a number of milliseconds, or Infinity");
}
