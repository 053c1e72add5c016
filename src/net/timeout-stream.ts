import {
  coreError,
  type ByteStream,
  type Clock,
  type Peer,
  type ReadHandler,
  type Role,
  type TeardownHandler,
  type Timer,
  type WriteHandler,
} from "../core/index.ts";
import { checkByteStream, checkClock, invalidArgument } from "../core/internal.ts";

/** Options of a {@link TimeoutStream}. */
export interface TimeoutStreamOptions {
  /** Where time comes from. Default the platform's. */
  clock?: Clock | undefined;
}

/**
 * Deadlines for a stream. The deadline that is set when an operation (read, write, teardown) starts is that operation's;
 * a later change does not touch it. Where one passes, the next layer is closed, and what is in flight and all that
 * follows completes with `core.timeout`, up to `close`. Where it has passed before an operation starts, that is so at
 * once, and nothing is done for the operation.
 *
 * Without a deadline, which is the default, a stream waits for as long as it takes. The timer keeps no process alive;
 * setting a deadline before each operation costs no timer each. A WebSocket stream has timeouts of its own: set
 * `expiresNever` below one that is open.
 */
export class TimeoutStream implements ByteStream {
  /** The layer below. */
  readonly nextLayer: ByteStream;
  readonly #clock: Clock;
  /** For the operations that start from now on. */
  #deadline = Infinity;
  #reader: ReadHandler | undefined;
  #writer: WriteHandler | undefined;
  #teardown: TeardownHandler | undefined;
  /** Of the read or the teardown in flight; Infinity where there is none. */
  #readDeadline = Infinity;
  #writeDeadline = Infinity;
  #timer: Timer | undefined;
  /** When the timer fires, at the earliest. */
  #due = Infinity;
  #timedOut = false;
  #closed = false;

  constructor(nextLayer: ByteStream, options: TimeoutStreamOptions = {}) {
    this.nextLayer = checkByteStream("TimeoutStream", nextLayer);
    this.#clock = checkClock(options.clock);
  }

  /** Where the other side is, as the next layer knows it. */
  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  /**
   * The operations that start from now on have to be complete `ms` milliseconds from now, all of them together. Infinity
   * is never; 0 or less has passed already. Throws `core.invalid_argument` for what is no number.
   */
  expiresAfter(ms: number): void {
    this.expiresAt(this.#clock.now() + ms);
  }

  /** The same with a moment: `time` is in milliseconds, as `now` of the clock has it. */
  expiresAt(time: number): void {
    if (typeof time !== "number" || Number.isNaN(time)) {
      throw invalidArgument("A deadline must be a number of milliseconds, or Infinity");
    }
    this.#deadline = time;
  }

  /** The operations that start from now on have no deadline. */
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

  teardown(role: Role, handler: TeardownHandler): void {
    const deadline = this.#start();
    this.nextLayer.teardown(role, this.#onTornDown);
    this.#teardown = handler;
    this.#readDeadline = deadline;
    if (deadline < this.#due) this.#arm(deadline);
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    this.nextLayer.close();
  }

  /** Returns the deadline of the operation that is about to start; Infinity where nothing has to be waited for. */
  #start(): number {
    if (this.#timedOut || this.#closed) return Infinity;
    const deadline = this.#deadline;
    if (deadline === Infinity || this.#clock.now() < deadline) return deadline;
    // Before the start, so that nothing more is read or sent. On a closed layer the operation completes in the usual way.
    this.#expire();
    return Infinity;
  }

  #arm(deadline: number): void {
    this.#timer?.cancel();
    this.#due = deadline;
    this.#timer = this.#clock.setTimer(deadline - this.#clock.now(), this.#onTimer);
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
    // The operation that it was set for may be long complete, and others under way.
    if (earliest <= this.#clock.now()) this.#expire();
    else if (earliest < Infinity) this.#arm(earliest);
  };

  #expire(): void {
    this.#timedOut = true;
    this.#disarm();
    this.nextLayer.close();
  }

  /** Whether what the next layer says is that we have closed it. */
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

  readonly #onTornDown: TeardownHandler = (error) => {
    const handler = this.#teardown!;
    this.#teardown = undefined;
    this.#readDeadline = Infinity;
    this.#disarm();
    handler(this.#isTimeout ? coreError("core.timeout") : error);
  };
}
