import type { Clock, Timer } from "../core/index.ts";
import { currentContext, invalidArgument, show, type AsyncContext } from "../core/internal.ts";

class VirtualTimer implements Timer {
  readonly due: number;
  readonly expired: () => void;
  /** As for the platform's timers. */
  readonly context: AsyncContext = currentContext();
  readonly #timers: Set<VirtualTimer>;

  constructor(timers: Set<VirtualTimer>, due: number, expired: () => void) {
    this.#timers = timers;
    this.due = due;
    this.expired = expired;
    timers.add(this);
  }

  cancel(): void {
    this.#timers.delete(this);
  }
}

/** Lets everything that is ready run: all microtasks, and one turn of the event loop, or `ms` milliseconds of it. */
export function turn(ms: number = 0): Promise<void> {
  return new Promise((resolve) => {
    if (ms > 0) setTimeout(resolve, ms);
    else setImmediate(resolve);
  });
}

/**
 * A {@link Clock} that stands still until a test advances it. Pass it as any option `clock`; assert at the end that
 * `pending` is 0, so that no timer is left.
 */
export class VirtualClock implements Clock {
  readonly #timers = new Set<VirtualTimer>();
  #now = 0;

  /** How many timers are running. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds since the clock was made, all by {@link advance}. */
  now(): number {
    return this.#now;
  }

  setTimer(ms: number, expired: () => void): Timer {
    return new VirtualTimer(this.#timers, this.#now + Math.max(0, ms), expired);
  }

  /**
   * Advances the time by `ms` milliseconds. Timers that come due run in the order of their times, those of the same
   * time in the order they were set, each at its own time. Before the first and after each, everything that is ready
   * runs, so that a timer set then comes due too. Rejects with `core.invalid_argument` if `ms` is not a finite number, 0
   * or more.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + checkDuration("advance", ms);
    await turn();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) await this.#run(timer);
    this.#now = until;
  }

  /** Advances the time to the next timer, and runs it. Fulfils with false if there is none. */
  async advanceToNext(): Promise<boolean> {
    const timer = this.#next(Infinity);
    if (timer === undefined) return false;
    await this.#run(timer);
    return true;
  }

  /**
   * Moves the time by `ms` milliseconds at once, as a blocked event loop, a debugger or a suspended machine does: the
   * timers that have come due run all together and late, inside this call, before anything that is ready. Bytes that the
   * peer wrote just before this call are still unread then. Fulfils after a turn of the event loop. Rejects with
   * `core.invalid_argument` as `advance` does.
   */
  async jump(ms: number): Promise<void> {
    this.#now += checkDuration("jump", ms);
    const due = [...this.#timers].filter((timer) => timer.due <= this.#now).toSorted((a, b) => a.due - b.due);
    for (const timer of due) {
      // One that has run may have cancelled it.
      if (this.#timers.delete(timer)) timer.context.runInAsyncScope(timer.expired, undefined);
    }
    await turn();
  }

  async #run(timer: VirtualTimer): Promise<void> {
    this.#now = timer.due;
    timer.cancel();
    timer.context.runInAsyncScope(timer.expired, undefined);
    await turn();
  }

  #next(until: number): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}

function checkDuration(taker: string, ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw invalidArgument(`${taker} takes a finite number of milliseconds, 0 or more, not ${show(ms)}`);
}
