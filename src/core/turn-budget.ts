import { currentContext, type AsyncContext } from "./async-context.ts";

/**
 * The cost of work, in nanoseconds of an ordinary processor, for each item or each KiB of bytes. No clock is read while
 * connections are served; `npm run bench:micro -- costs` measures these.
 */
export const cost = {
  /** Taking one frame from the input. */
  frame: 300,
  /** Passing one message, or a part of one, to the application, and framing its reply. */
  message: 1200,
  /** Taking a control frame, and answering it. */
  control: 800,
  /** Bytes unmasked or copied into memory of their own, with the allocation; per KiB. */
  copied: 500,
  /** Bytes of UTF-8 checked; per KiB. */
  checked: 80,
  /** Long texts decoded to strings, all ASCII; and any other text; per KiB. */
  decodedAscii: 2000,
  decoded: 8000,
  /** Bytes inflated, and the bytes that result; per KiB. */
  inflatedFrom: 4000,
  inflated: 500,
  /** Beginning a DEFLATE stream within a message. */
  stream: 300,
  /** Compressing a message on this thread, and its bytes; per KiB. */
  deflation: 5000,
  deflated: 30_000,
  /** Passing one write to the operating system, and its bytes; per KiB. */
  write: 8000,
  written: 300,
  /** Taking one request from the input, and serializing its response. */
  request: 4000,
  /** Taking one chunk of a chunked body. */
  chunk: 200,
} as const;

/** The cost of this many bytes at this much per KiB, as a whole number. */
export function costOf(bytes: number, perKiB: number): number {
  return Math.ceil((bytes / 1024) * perKiB);
}

/** A connection, as its budget sees it. The budget writes the two numbers. */
export interface TurnMember {
  /** How much it has spent in the turn `spentIn`. Both begin with 0. */
  spent: number;
  spentIn: number;
}

/** Waits for its next turn: a connection, or one step of its work. */
export interface TurnWaiter {
  /** Its next turn has come, after {@link TurnBudget.wait}. The connection may have ended meanwhile. */
  takeTurn(): void;
}

interface Waiting {
  readonly waiter: TurnWaiter;
  /** The turn in which it began to wait. */
  readonly since: number;
  readonly context: AsyncContext;
}

/** What a budget needs of the event loop. */
export interface EventLoop {
  /** How often the loop has turned; undefined if that is not known. */
  readonly iteration: number | undefined;
  /** Runs the callback in the next turn, as `setImmediate` does. */
  nextTurn(callback: () => void): void;
}

/** How much each member may spend in a turn, in nanoseconds. */
export const shareOfMember = 500_000;

/** How much all members may spend together in a turn. */
export const shareOfAll = 8_000_000;

/** How much each may still spend in a turn whose common share is used up: enough for a short message or request. */
export const shareOfLate: number = shareOfMember / 16;

/**
 * How much is spent between two checks of the loop. A connection may exceed its share by this much if it began to spend
 * before the loop turned. A check costs a thousandth of that time.
 */
export const lookEvery: number = shareOfMember / 4;

/**
 * Bounds the work of one turn of the event loop, for each connection and for all together, so that none takes the turns
 * of the others. Work is counted (see `cost`), not timed. A member that has overdrawn takes nothing more before its
 * next turn, and waits for that in FIFO order; all others are served when their bytes arrive.
 *
 * A turn ends with an immediate, which is set only once a member has overdrawn. Until then the loop's own count of
 * iterations separates the turns; it is read only each time that a certain amount has been spent.
 */
export class TurnBudget {
  /** Whether the common share of this turn is used up; long work should not begin then. */
  isSpent = false;
  /** How much each may spend in this turn: less if many have waited for it, so that as many as possible have a part. */
  share: number = shareOfMember;
  readonly #loop: EventLoop;
  #turn = 0;
  /** The iteration of the loop that this turn belongs to. */
  #iteration = -1;
  /** What all have spent in this turn, and when to check the loop again. */
  #spent = 0;
  #lookAt = 0;
  /** Whether an immediate is set that ends this turn. */
  #isMarked = false;
  #waiting: Waiting[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** How many members wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Counts work done for a member. Returns whether it has overdrawn and must {@link wait}. `copying` is the part of the
   * work that copied received bytes. It uses up the common share alone: the platform reads a socket at most 32 times in a
   * turn, and an ordinary long message must not wait.
   */
  spend(member: TurnMember, cost: number, copying = 0): boolean {
    this.#spent += cost;
    if (this.#spent > this.#lookAt) this.#look(cost);
    const own = cost - copying;
    if (member.spentIn === this.#turn) member.spent += own;
    else {
      member.spentIn = this.#turn;
      member.spent = own;
    }
    if (member.spent <= shareOfLate) return false;
    if (member.spent <= this.share && !this.isSpent) return false;
    return this.#isMarked || this.#isOverdrawn(member, own, cost);
  }

  /**
   * Whether a member spent much when it last did. In a turn whose common share is used up it had better wait before it
   * takes anything, since the first thing that it takes may be much.
   */
  isGreedy(member: TurnMember): boolean {
    return member.spent > shareOfLate;
  }

  /**
   * Resumes `waiter` in the next turn, after earlier waiters, in the async context of this call. A waiter waits only
   * once at a time.
   */
  wait(waiter: TurnWaiter): void {
    this.#waiting.push({ waiter, since: this.#turn, context: currentContext() });
    this.#mark();
  }

  /** Whether a member has overdrawn, unless the turn in which it began to spend is over. */
  #isOverdrawn(member: TurnMember, own: number, cost: number): boolean {
    if (this.#hasTurned()) {
      this.#begin(cost);
      member.spentIn = this.#turn;
      member.spent = own;
      if (own <= shareOfMember) return false;
    }
    this.#mark();
    return true;
  }

  #look(cost: number): void {
    if (!this.#isMarked && this.#hasTurned()) this.#begin(cost);
    this.isSpent = this.#spent > shareOfAll;
    if (this.isSpent) this.#mark();
    this.#lookLater();
  }

  /** Whether the loop has turned since the last check. */
  #hasTurned(): boolean {
    const { iteration = this.#iteration } = this.#loop;
    if (iteration <= this.#iteration) return false;
    this.#iteration = iteration;
    return true;
  }

  #begin(spent: number): void {
    this.#turn++;
    this.share = shareOfMember;
    this.#spent = spent;
    this.isSpent = false;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#lookAt = this.isSpent
      ? Infinity
      : this.#isMarked
        ? shareOfAll
        : Math.min(this.#spent + lookEvery, shareOfAll);
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.#lookLater();
    this.#loop.nextTurn(this.#endTurn);
  }

  /**
   * How much each may spend when many wait: half of what each has had in as many turns as the first one has waited, so
   * that they wait for fewer turns from then on. If their work can't be divided so far, they still wait, and the share of
   * the others stays as large.
   */
  #shareOf(waiting: readonly Waiting[]): number {
    const turns = waiting.length === 0 ? 1 : this.#turn - waiting[0]!.since;
    const half = (shareOfAll * turns) / 2 / waiting.length;
    return Math.max(shareOfLate, Math.min(shareOfMember, half));
  }

  readonly #endTurn = (): void => {
    const waiting = this.#waiting;
    const { iteration = this.#iteration } = this.#loop;
    this.#isMarked = false;
    // The loop polls next; bytes that arrive then belong to the same turn.
    this.#iteration = iteration + 1;
    this.#begin(0);
    this.share = this.#shareOf(waiting);
    let next = 0;
    // Members that wait again do so for the next turn.
    this.#waiting = [];
    try {
      while (next < waiting.length && !this.isSpent) {
        const { waiter, context } = waiting[next++]!;
        context.runInAsyncScope(waiter.takeTurn, waiter);
      }
    } finally {
      // Also after a waiter has thrown.
      if (next < waiting.length) {
        this.#waiting = [...waiting.slice(next), ...this.#waiting];
        this.#mark();
      }
    }
  };
}

/** The loop of this thread. Node.js counts its iterations; on a platform that does not, only immediates end turns. */
const eventLoop: EventLoop = {
  get iteration() {
    return (performance as { nodeTiming?: { uvMetricsInfo?: { loopCount: number } } }).nodeTiming?.uvMetricsInfo
      ?.loopCount;
  },
  nextTurn: (callback) => void setImmediate(callback),
};

/** The budget of this thread, which all connections share. */
export const turnBudget: TurnBudget = new TurnBudget(eventLoop);
