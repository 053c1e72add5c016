/** What {@link Liveness} does with a silent peer. */
export interface Watched {
  /** Whether nothing can be heard, since this side does not read. */
  readonly isDeaf: boolean;
  /** Asks the peer for a sign of life. */
  ask(): void;
  /** Gives the peer up. */
  giveUp(): void;
}

/**
 * Asks a peer that was silent for half of a time, and gives up one that was for all of it. What has arrived while the event
 * loop was stopped is heard before.
 */
export class Liveness {
  readonly #idle: number;
  readonly #watched: Watched;
  readonly #now: () => number;
  #heardAt: number;
  #hasAsked = false;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `idle` is in milliseconds. */
  constructor(idle: number, watched: Watched, now: () => number = () => performance.now()) {
    this.#idle = idle;
    this.#watched = watched;
    this.#now = now;
    this.#heardAt = now();
    this.#wait(idle / 2);
  }

  /** Something has arrived. */
  heard(): void {
    this.#heardAt = this.#now();
    this.#hasAsked = false;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(time: number): void {
    // After a turn more, in which the socket is read.
    this.#timer = setTimeout(() => setImmediate(() => this.#check()), time);
    // The socket keeps the process running, if anything does.
    this.#timer.unref();
  }

  #check(): void {
    if (this.#isStopped) return;
    if (this.#watched.isDeaf) this.heard();
    const silence = this.#now() - this.#heardAt;
    const half = this.#idle / 2;
    if (silence >= this.#idle) {
      this.#watched.giveUp();
      return;
    }
    if (silence >= half && !this.#hasAsked) {
      this.#hasAsked = true;
      this.#watched.ask();
    }
    this.#wait(silence >= half ? this.#idle - silence : half - silence);
  }
}
