import type { Clock, Timer } from "./clock.ts";

/** Is told that a time has come. */
export interface Expiring {
  /** It has come. Called once. */
  expired(): void;
}

/** How much later than asked for, as a share of the time, for the sake of fewer timers. */
const slack = 1 / 256;

/** A timer that many share. */
export class SharedTimer {
  readonly at: number;
  readonly keepsProcess: boolean;
  readonly #members = new Set<Expiring>();
  readonly #all: SharedTimer[];
  readonly #timer: Timer;

  private constructor(clock: Clock, ms: number, keepsProcess: boolean, all: SharedTimer[]) {
    this.at = clock.now() + ms;
    this.keepsProcess = keepsProcess;
    this.#all = all;
    this.#timer = clock.setTimer(ms, this.#fired);
    if (!keepsProcess) this.#timer.unref?.();
  }

  /**
   * Has `member` told after `ms` milliseconds, or a little later: with others whose time comes then. One timer for each of
   * thousands of connections takes more memory than their deadlines are worth. Unless it `keepsProcess`, it is unref'd.
   */
  static set(clock: Clock, ms: number, member: Expiring, keepsProcess: boolean): SharedTimer {
    let all = timers.get(clock);
    if (all === undefined) timers.set(clock, (all = []));
    const at = clock.now() + ms;
    // Most belong at the end.
    let index = all.length;
    while (index > 0 && all[index - 1]!.at >= at) index--;
    const latest = at + ms * slack;
    for (let i = index; i < all.length && all[i]!.at <= latest; i++) {
      const timer = all[i]!;
      if (timer.keepsProcess === keepsProcess) return timer.#add(member);
    }
    // A single one is told in time; among many, the next ones must find a timer that is not before theirs.
    const isCrowded = index > 0 && all[index - 1]!.at > at - ms * slack;
    const timer = new SharedTimer(clock, isCrowded ? ms * (1 + slack) : ms, keepsProcess, all);
    while (index < all.length && all[index]!.at < timer.at) index++;
    all.splice(index, 0, timer);
    return timer.#add(member);
  }

  /** `member` is not to be told any more. */
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
      member.expired();
    }
  };
}

/** Those of each clock that run, by their time. */
const timers = new WeakMap<Clock, SharedTimer[]>();
