import type { Clock } from "../../core/index.ts";
import { SharedTimer, type Expiring } from "../../core/internal.ts";

/** Deadlines of an open connection, in milliseconds. */
export interface LivenessOptions {
  /** How long the peer may be silent; Infinity for as long as it likes. */
  idle: number;
  /** Whether a silent peer is asked, with a ping, at half that time. */
  keepAlivePings: boolean;
}

/** What a {@link Liveness} knows of its connection, and tells it. */
export interface Living {
  /** A read is in flight: if the peer sent something we would have it. */
  readonly isReading: boolean;
  /** A write is in flight: the transport has not taken it all. */
  readonly isWriting: boolean;
  /** How many bytes the transport has taken. */
  readonly written: number;
  /**
   * A time has come: with a payload, to ask the peer for a sign of life by a ping with it; without, to give the peer up,
   * which has been silent for too long or has not closed in time.
   */
  expired(ping?: Uint8Array): void;
}

/**
 * Whether the peer is alive, and how far away: the one timer of a connection. More than Beast counts as life:
 * any byte that comes, and progress of a write that the transport could not take at once. While we don't read, the
 * peer's silence says nothing.
 */
export class Liveness implements Expiring {
  readonly #clock: Clock;
  readonly #options: Readonly<LivenessOptions>;
  readonly #connection: Living;
  #timer: SharedTimer | undefined;
  /** The last sign of life. Of reads it is the start that counts: the silence is as old as the read that is in flight. */
  #lastLife = 0;
  /** Since that, the peer has been asked for one. */
  #isAsked = false;
  /** As they were when the timer was last set. */
  #written = 0;
  #wasWriting = false;
  #isEnding = false;
  #pings: Pings | undefined;

  constructor(options: Readonly<LivenessOptions>, clock: Clock, connection: Living) {
    this.#options = options;
    this.#clock = clock;
    this.#connection = connection;
  }

  /** Begins to watch. */
  start(): void {
    if (this.#options.idle === Infinity || this.#isEnding) return;
    this.#lastLife = this.#now;
    this.#setTimer(this.#period);
  }

  /** A read starts: what came until now, came. */
  reading(): void {
    if (this.#options.idle === Infinity) return;
    this.#lastLife = this.#now;
    this.#isAsked = false;
  }

  /** A ping is being sent: its answer will tell how long it took. */
  pinged(payload: Uint8Array): void {
    (this.#pings ??= new Pings()).sent(payload, this.#clock.now());
  }

  /** A pong has come. */
  ponged(payload: Uint8Array): void {
    this.#pings?.answered(payload, this.#clock.now());
  }

  /** The last time that a ping took to be answered, in milliseconds. */
  get roundTripTime(): number | undefined {
    return this.#pings?.roundTripTime;
  }

  /** From now on it is the end that has a deadline, in milliseconds; the first call counts. */
  startDeadline(ms: number): void {
    if (this.#isEnding) return;
    this.stop();
    if (ms !== Infinity) this.#timer = SharedTimer.set(this.#clock, ms, this, true);
  }

  /** Stops for good. */
  stop(): void {
    this.#isEnding = true;
    this.#timer?.leave(this);
    this.#timer = undefined;
  }

  /** Rounded: a number that is not whole takes memory of its own. */
  get #now(): number {
    return Math.ceil(this.#clock.now());
  }

  get #period(): number {
    const { idle, keepAlivePings } = this.#options;
    return keepAlivePings ? idle / 2 : idle;
  }

  #setTimer(ms: number): void {
    this.#written = this.#connection.written;
    this.#wasWriting = this.#connection.isWriting;
    // What keeps the process is the transport, if anything.
    this.#timer = SharedTimer.set(this.#clock, ms, this, false);
  }

  /** It is time to look, or the deadline of the end. Called by the timer. */
  expired(): void {
    this.#timer = undefined;
    if (this.#isEnding) this.#connection.expired();
    else this.#check();
  }

  #check(): void {
    const connection = this.#connection;
    const { idle, keepAlivePings } = this.#options;
    const now = this.#now;
    // Bytes that the transport takes at once may lie in its buffer; those it had no room for went to the peer.
    const hasProgress = connection.written > this.#written && (this.#wasWriting || connection.isWriting);
    if (hasProgress || !connection.isReading) {
      this.#lastLife = now;
      // Of a peer that is gone the transport finds out by what it does not acknowledge.
      if (!hasProgress && keepAlivePings) this.#ask();
      this.#isAsked = false;
    }
    const silence = now - this.#lastLife;
    if (silence >= idle) {
      connection.expired();
    } else if (this.#isAsked || silence < this.#period) {
      this.#setTimer(Math.max(1, (this.#isAsked ? idle : this.#period) - silence));
    } else {
      this.#ask();
      this.#isAsked = true;
      this.#setTimer(Math.max(1, idle - silence));
    }
  }

  #ask(): void {
    // Behind what the peer does not take, more pings say no more.
    if (this.#connection.isWriting) return;
    const payload = (this.#pings ??= new Pings()).next();
    this.pinged(payload);
    this.#connection.expired(payload);
  }
}

/** The pings of a connection: the last one, and how long its answer took. */
class Pings {
  roundTripTime: number | undefined;
  #last: Uint8Array | undefined;
  #time = 0;
  #count = 0;

  /** The payload of one that is like no other of ours. */
  next(): Uint8Array {
    const count = this.#count++;
    return Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
  }

  sent(payload: Uint8Array, now: number): void {
    this.#last = new Uint8Array(payload);
    this.#time = now;
  }

  /** Perhaps the answer to the last ping. Others, and pongs that nobody asked for, tell nothing. */
  answered(payload: Uint8Array, now: number): void {
    const last = this.#last;
    if (last === undefined || last.length !== payload.length || !last.every((byte, i) => byte === payload[i])) return;
    this.#last = undefined;
    this.roundTripTime = now - this.#time;
  }
}
