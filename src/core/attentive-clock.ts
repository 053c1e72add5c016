import { systemClock, type Clock, type Timer } from "./clock.ts";

/**
 * How much of a time in which the event loop was blocked counts, in milliseconds. It bounds what a peer can gain where the
 * loop is late all the time: a deadline of n times this passes after the loop has polled n times.
 */
const mostBlocked = 200;

/**
 * The time in which the event loop could look at its connections, for their deadlines. A blocked loop, a debugger or a
 * suspended machine stop it: of such a time at most `mostBlocked` counts. So no peer is given up for a silence that nobody
 * could have heard, and each one that is asked for a sign of life has the time to give it.
 *
 * That the loop was blocked is known by a timer that comes late, which costs nothing while none does. When it began is
 * known only roughly: after the clock was read last. At most that much is granted again, and once for each timer: one that
 * comes late again has only its lateness excused.
 */
export class AttentiveClock {
  /** The clock below. */
  readonly clock: Clock;
  /**
   * How many milliseconds were lost so far, since the loop was blocked. `clock.now() - lost` is the time of this clock; it
   * goes back when a loss is found. Only this class writes it.
   */
  lost = 0;
  /** When the clock was last looked at. */
  #seen: number;
  /** The last long time in which it was not. */
  #gapFrom = -Infinity;
  #gapTo = -Infinity;
  /** When a loss was last found. */
  #foundAt = -Infinity;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#seen = clock.now();
  }

  /** Milliseconds since a fixed moment, without those that were lost. To be asked when a deadline is set. */
  now(): number {
    const now = this.clock.now();
    if (now - this.#seen > mostBlocked) {
      this.#gapFrom = this.#seen;
      this.#gapTo = now;
    }
    this.#seen = now;
    return now - this.lost;
  }

  /**
   * Runs `expired` once, as {@link Clock.setTimer} does, when `ms` milliseconds have passed in which the loop could look,
   * and it has polled after them: bytes that are there by then are read before.
   */
  setTimer(ms: number, expired: () => void): Timer {
    return new AttentiveTimer(this, ms, expired);
  }

  /**
   * A timer of the clock below runs that was due at a time of this clock, `ms` milliseconds after it was set. Returns how
   * many it has still to wait, since some were lost; 0 for less than one, by which the platform's timers may come early.
   */
  left(due: number, ms: number): number {
    const now = this.now() + this.lost;
    if (now - this.lost - due > mostBlocked) {
      const isNew = due - ms >= this.#foundAt - this.lost;
      this.#lose(due + this.lost, now, isNew);
    }
    const left = due + this.lost - now;
    return left < 1 ? 0 : left;
  }

  /** The loop was blocked until now, and when a timer was due; both are times of the clock below. */
  #lose(due: number, now: number, isNew: boolean): void {
    let from = due;
    // The clock was last looked at before the timer was due, or at the end of a block that began before.
    if (isNew && due <= this.#gapTo) from = Math.min(due, this.#gapFrom);
    const blocked = now - Math.max(from, this.#foundAt);
    if (blocked <= mostBlocked) return;
    this.lost += blocked - mostBlocked;
    this.#foundAt = now;
  }
}

class AttentiveTimer implements Timer {
  readonly #time: AttentiveClock;
  readonly #due: number;
  readonly #ms: number;
  readonly #expired: () => void;
  /** The timer of the clock below, then the wait for the poll. */
  #timer: Timer;
  #keepsProcess = true;

  constructor(time: AttentiveClock, ms: number, expired: () => void) {
    this.#time = time;
    this.#due = time.now() + ms;
    this.#ms = ms;
    this.#expired = expired;
    this.#timer = time.clock.setTimer(ms, this.#came);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  unref(): void {
    this.#keepsProcess = false;
    this.#timer.unref?.();
  }

  readonly #came = (): void => {
    const left = this.#time.left(this.#due, this.#ms);
    if (left === 0) {
      this.#timer = afterPoll(this.#expired);
    } else {
      this.#timer = this.#time.clock.setTimer(left, this.#came);
      if (!this.#keepsProcess) this.#timer.unref?.();
    }
  };
}

class PollTimer implements Timer {
  readonly #immediate: ReturnType<typeof setImmediate>;

  constructor(then: () => void) {
    this.#immediate = setImmediate(then);
  }

  cancel(): void {
    clearImmediate(this.#immediate);
  }
}

/**
 * Calls back after the event loop has polled, from a timer that has run: the timers that are due run before anything is
 * read, however long ago it came.
 */
export function afterPoll(then: () => void): Timer {
  return new PollTimer(then);
}

const systems = new AttentiveClock(systemClock);
const others = new WeakMap<Clock, AttentiveClock>();

/** The attentive clock over a clock: one for all who use that. */
export function attentive(clock: Clock): AttentiveClock {
  if (clock === systemClock) return systems;
  let made = others.get(clock);
  if (made === undefined) others.set(clock, (made = new AttentiveClock(clock)));
  return made;
}
