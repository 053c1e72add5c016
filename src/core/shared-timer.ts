import type { AsyncContext } from "./async-context.ts";
import type { AttentiveClock } from "./attentive-clock.ts";
import type { Timer } from "./clock.ts";

/** A member of a {@link SharedTimer}. */
export interface Expiring {
  /** The async context in which it is told. */
  readonly context: AsyncContext;
  /** The time has come. Called once. */
  expired(): void;
}

/** How much later than asked for a member may be called, as a share of the time, to save timers. */
const slack = 1 / 256;

/** A timer that many members share. */
export class SharedTimer {
  readonly at: number;
  readonly keepsProcess: boolean;
  readonly #members = new Set<Expiring>();
  readonly #all: SharedTimer[];
  readonly #timer: Timer;

  private constructor(time: AttentiveClock, ms: number, keepsProcess: boolean, all: SharedTimer[]) {
    this.at = time.now() + ms;
    this.keepsProcess = keepsProcess;
    this.#all = all;
    this.#timer = time.setTimer(ms, this.#fired);
    if (!keepsProcess) this.#timer.unref?.();
  }

  /**
   * Calls `member` after `ms` milliseconds, or a little later, together with others. A timer for each of thousands of
   * connections would take too much memory. Unless it `keepsProcess`, the timer is unref'd.
   */
  static set(time: AttentiveClock, ms: number, member: Expiring, keepsProcess: boolean): SharedTimer {
    let all = timers.get(time);
    if (all === undefined) timers.set(time, (all = []));
    const at = time.now() + ms;
    // Most belong at the end.
    let index = all.length;
    while (index > 0 && all[index - 1]!.at >= at) index--;
    const latest = at + ms * slack;
    for (let i = index; i < all.length && all[i]!.at <= latest; i++) {
      const timer = all[i]!;
      if (timer.keepsProcess === keepsProcess) return timer.#add(member);
    }
    // A single member is called exactly on time. Among many, the timer is set later, so that the next ones can share
    // it.
    const isCrowded = index > 0 && all[index - 1]!.at > at - ms * slack;
    const timer = new SharedTimer(time, isCrowded ? ms * (1 + slack) : ms, keepsProcess, all);
    while (index < all.length && all[index]!.at < timer.at) index++;
    all.splice(index, 0, timer);
    return timer.#add(member);
  }

  /** Removes `member`, which is not called then. */
  leave(member: Expiring): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#timer.cancel();
    this.#remove();
  }

  #add(member: Expiring): this {
    this.#members.add(member);
    return this;
  }

  #remove(): void {
    const index = this.#all.indexOf(this);
    if (index >= 0) this.#all.splice(index, 1);
  }

  readonly #fired = (): void => {
    this.#remove();
    for (const member of this.#members) {
      this.#members.delete(member);
      member.context.runInAsyncScope(member.expired, member);
    }
  };
}

/** The running timers of each clock, sorted by time. */
const timers = new WeakMap<AttentiveClock, SharedTimer[]>();
