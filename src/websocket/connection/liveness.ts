import { SharedTimer, type AsyncContext, type AttentiveClock, type Expiring } from "../../core/internal.ts";

/** Deadlines of an open connection, in milliseconds. */
export interface LivenessOptions {
  /** How long the peer may be silent; Infinity for no limit. */
  idle: number;
  /** Whether a peer that has been silent for half that time is sent a ping. */
  keepAlivePings: boolean;
}

/** The connection of a {@link Liveness}. */
export interface Living {
  /** The async context in which the connection is told. */
  readonly context: AsyncContext;
  readonly settings: { readonly time: AttentiveClock };
  /** A read is in flight, so anything that the peer sent has been seen. */
  readonly isReading: boolean;
  /** A write is in flight, so the transport has not taken everything. */
  readonly isWriting: boolean;
  /** How many bytes the transport has taken. */
  readonly written: number;
  /**
   * A time is up. With a payload, the peer has been silent and must be sent a ping with that payload. Without one, the
   * peer has been silent for too long, or has not closed in time, and the connection ends.
   */
  expired(ping?: Uint8Array): void;
}

/**
 * The one deadline of a connection: for the peer's silence while it is open, for the end while it closes. Any byte
 * received is a sign of life, and so is progress of a write that the transport could not take at once. While nothing is
 * read, silence means nothing, and nor does it while the event loop is blocked. A peer that is to be asked is never given
 * up before.
 */
export class Liveness implements Expiring {
  readonly #options: Readonly<LivenessOptions>;
  readonly #connection: Living;
  #timer: SharedTimer | undefined;
  /** The time of the last sign of life. A read counts from its start: the silence is as old as the read in flight. */
  #lastLife = 0;
  /** A ping has been sent since then. */
  #isAsked = false;
  /** The connection's `written` and `isWriting` when the timer was last set. */
  #written = 0;
  #wasWriting = false;
  #isEnding = false;
  #pings: Pings | undefined;

  constructor(options: Readonly<LivenessOptions>, connection: Living) {
    this.#options = options;
    this.#connection = connection;
  }

  get context(): AsyncContext {
    return this.#connection.context;
  }

  /** Begins to measure the peer's silence. */
  start(): void {
    if (this.#options.idle === Infinity || this.#isEnding) return;
    this.#lastLife = this.#now;
    this.#setTimer(this.#period);
  }

  /** A read starts, so the read before it has brought bytes. */
  reading(): void {
    if (this.#options.idle === Infinity) return;
    this.#lastLife = this.#now;
    this.#isAsked = false;
  }

  /** A ping is sent: notes the time, to measure how long its answer takes. */
  pinged(payload: Uint8Array): void {
    (this.#pings ??= new Pings()).sent(payload, this.#connection.settings.time.clock.now());
  }

  /** A pong has come. */
  ponged(payload: Uint8Array): void {
    this.#pings?.answered(payload, this.#connection.settings.time.clock.now());
  }

  /** How long the last answered ping took, in milliseconds. */
  get roundTripTime(): number | undefined {
    return this.#pings?.roundTripTime;
  }

  /** Replaces the deadline for silence by one for the end of the connection, in milliseconds. Later calls change nothing. */
  startDeadline(ms: number): void {
    if (this.#isEnding) return;
    this.stop();
    if (ms !== Infinity) this.#timer = SharedTimer.set(this.#connection.settings.time, ms, this, true);
  }

  /** Stops for good. */
  stop(): void {
    this.#isEnding = true;
    this.#timer?.leave(this);
    this.#timer = undefined;
  }

  /** A whole number, since V8 stores any other in an object of its own. */
  get #now(): number {
    const { time } = this.#connection.settings;
    return Math.ceil(time.clock.now() - time.lost);
  }

  get #period(): number {
    const { idle, keepAlivePings } = this.#options;
    return keepAlivePings ? idle / 2 : idle;
  }

  #setTimer(ms: number): void {
    this.#written = this.#connection.written;
    this.#wasWriting = this.#connection.isWriting;
    // The timer does not keep the process alive; the transport does.
    this.#timer = SharedTimer.set(this.#connection.settings.time, ms, this, false);
  }

  /** Called by the timer. */
  expired(): void {
    this.#timer = undefined;
    if (this.#isEnding) this.#connection.expired();
    else this.#check();
  }

  #check(): void {
    const connection = this.#connection;
    const { idle, keepAlivePings } = this.#options;
    const now = this.#now;
    // Bytes that the transport took at once may still lie in its buffer. Bytes that had to wait for room prove that it drains.
    const hasProgress = connection.written > this.#written && (this.#wasWriting || connection.isWriting);
    if (hasProgress || !connection.isReading) {
      this.#lastLife = now;
      // A ping makes the transport notice a peer that no longer acknowledges anything.
      if (!hasProgress && keepAlivePings) this.#ask();
      this.#isAsked = false;
    }
    const silence = now - this.#lastLife;
    const isAsking = keepAlivePings && !this.#isAsked;
    const left = (isAsking ? this.#period : idle) - silence;
    if (left > 0) {
      this.#setTimer(Math.max(1, left));
    } else if (isAsking) {
      this.#ask();
      this.#isAsked = true;
      // All of the other half is for the answer, also if the ping comes late.
      this.#setTimer(Math.max(1, idle - this.#period));
    } else {
      connection.expired();
    }
  }

  #ask(): void {
    // While the peer takes nothing, another ping would only wait.
    if (this.#connection.isWriting) return;
    const payload = (this.#pings ??= new Pings()).next();
    this.pinged(payload);
    this.#connection.expired(payload);
  }
}

/** Measures the round-trip time by the last ping. */
class Pings {
  roundTripTime: number | undefined;
  #last: Uint8Array | undefined;
  #time = 0;
  #count = 0;

  /** A payload that no other ping of this connection has. */
  next(): Uint8Array {
    const count = this.#count++;
    return Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
  }

  sent(payload: Uint8Array, now: number): void {
    this.#last = new Uint8Array(payload);
    this.#time = now;
  }

  /** Takes a pong. Only the answer to the last ping counts. */
  answered(payload: Uint8Array, now: number): void {
    const last = this.#last;
    if (last === undefined || last.length !== payload.length || !last.every((byte, i) => byte === payload[i])) return;
    this.#last = undefined;
    this.roundTripTime = now - this.#time;
  }
}
