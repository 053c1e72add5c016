import { currentContext, type AsyncContext } from "./async-context.ts";

/**
 * What work costs, in nanoseconds of an ordinary processor: of each thing, or of each KiB of bytes. No clock is read
 * while connections are served; `npm run bench:micro -- costs` measures what stands here.
 */
export const cost = {
  /** Taking one frame from the input. */
  frame: 300,
  /** Handing one message, or a part of one, to the application, and framing what it replies. */
  message: 1200,
  /** Taking a control frame, and answering it. */
  control: 800,
  /** Bytes unmasked or copied into memory of their own, which has to be found too; per KiB. */
  copied: 500,
  /** Bytes of UTF-8 checked; per KiB. */
  checked: 80,
  /** Long texts made strings, where all bytes are ASCII, and any where they are not; per KiB. */
  decodedAscii: 2000,
  decoded: 8000,
  /** Bytes given to an inflater, and bytes that it gave; per KiB. */
  inflatedFrom: 4000,
  inflated: 500,
  /** Beginning a stream of DEFLATE within a message. */
  stream: 300,
  /** Compressing a message on this thread, and its bytes; per KiB. */
  deflation: 5000,
  deflated: 30_000,
  /** Giving one write to the operating system, and its bytes; per KiB. */
  write: 8000,
  written: 300,
  /** Taking one request from the input, and serializing its response. */
  request: 4000,
  /** Taking one chunk of a chunked body. */
  chunk: 200,
} as const;

/** What so many bytes cost, at so much per KiB: a whole number. */
export function costOf(bytes: number, perKiB: number): number {
  return Math.ceil((bytes / 1024) * perKiB);
}

/** A connection, as its budget sees it. The two numbers are the budget's own. */
export interface TurnMember {
  /** What it has spent in the turn `spentIn`. Both begin with 0. */
  spent: number;
  spentIn: number;
}

/** Something that waits for its next turn: a connection, or one step of its work. */
export interface TurnWaiter {
  /** Its next turn has come, after {@link TurnBudget.wait}. The connection may have ended meanwhile. */
  takeTurn(): void;
}

interface Waiting {
  readonly waiter: TurnWaiter;
  readonly context: AsyncContext;
}

/** What a budget is told of the event loop. */
export interface EventLoop {
  /** How many times the loop has come round; undefined where that is not known. */
  readonly iteration: number | undefined;
  /** Runs the callback in the next turn, as `setImmediate` does. */
  nextTurn(callback: () => void): void;
}

/** What each member may spend in a turn, in nanoseconds. */
export const shareOfMember = 500_000;

/** What all of them may spend together. */
export const shareOfAll = 8_000_000;

/** What each may still spend in a turn in which all together have spent their share: enough for a short message or request. */
export const shareOfLate: number = shareOfMember / 16;

/**
 * How much is spent between two looks at the loop: by so much more than its share may a connection spend, if it had begun
 * to before the loop came round. A look takes a thousandth of that time.
 */
export const lookEvery: number = shareOfMember / 4;

/**
 * Bounds the work of one turn of the event loop, for each connection and for all together, so that none takes the turns of
 * the others. Work is counted (see `cost`), not timed. A member that has overdrawn takes nothing more before its next turn,
 * and waits for that in line; all others are served when their bytes come.
 *
 * A turn ends with an immediate, which is set only once something has overdrawn. Until then the loop's own count of its
 * iterations tells one turn from the next: it is looked at each time that so much has been spent, and never otherwise.
 */
export class TurnBudget {
  /** All together have spent their share of this turn: what is long is better not begun. */
  isSpent = false;
  readonly #loop: EventLoop;
  #turn = 0;
  /** The iteration of the loop that this turn belongs to. */
  #iteration = -1;
  /** What all have spent in this turn, and when to look at the loop again. */
  #spent = 0;
  #lookAt = 0;
  /** An immediate is set that ends this turn. */
  #isMarked = false;
  #waiting: Waiting[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes note of work that was done for a member. Returns whether it has overdrawn and has to {@link wait}. */
  spend(member: TurnMember, cost: number): boolean {
    this.#spent += cost;
    if (this.#spent > this.#lookAt) this.#look(cost);
    if (member.spentIn === this.#turn) member.spent += cost;
    else {
      member.spentIn = this.#turn;
      member.spent = cost;
    }
    if (member.spent <= shareOfLate) return false;
    if (member.spent <= shareOfMember && !this.isSpent) return false;
    return this.#isMarked || this.#isOverdrawn(member, cost);
  }

  /**
   * Has `waiter` resumed in the next turn, after those that wait already, in the async context of this call. It waits once at
   * a time.
   */
  wait(waiter: TurnWaiter): void {
    this.#waiting.push({ waiter, context: currentContext() });
    this.#mark();
  }

  /** A member has overdrawn, unless the turn in which it began to spend is over. */
  #isOverdrawn(member: TurnMember, cost: number): boolean {
    if (this.#hasTurned()) {
      this.#begin(cost);
      member.spentIn = this.#turn;
      member.spent = cost;
      if (cost <= shareOfMember) return false;
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

  /** Whether the loop has come round since this was last asked. */
  #hasTurned(): boolean {
    const { iteration = this.#iteration } = this.#loop;
    if (iteration <= this.#iteration) return false;
    this.#iteration = iteration;
    return true;
  }

  #begin(spent: number): void {
    this.#turn++;
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

  readonly #endTurn = (): void => {
    const waiting = this.#waiting;
    const { iteration = this.#iteration } = this.#loop;
    this.#isMarked = false;
    // The loop polls next, and what has come by then belongs to the same turn.
    this.#iteration = iteration + 1;
    this.#begin(0);
    let next = 0;
    // Members that wait again do so for the next turn.
    this.#waiting = [];
    try {
      while (next < waiting.length && !this.isSpent) {
        const { waiter, context } = waiting[next++]!;
        context.runInAsyncScope(waiter.takeTurn, waiter);
      }
    } finally {
      // Also where one has thrown.
      if (next < waiting.length) {
        this.#waiting = [...waiting.slice(next), ...this.#waiting];
        this.#mark();
      }
    }
  };
}

/** The loop of this thread. Node.js counts its iterations; on a platform that does not, turns end with immediates alone. */
const eventLoop: EventLoop = {
  get iteration() {
    return (performance as { nodeTiming?: { uvMetricsInfo?: { loopCount: number } } }).nodeTiming?.uvMetricsInfo
      ?.loopCount;
  },
  nextTurn: (callback) => void setImmediate(callback),
};

/** The budget of this thread, which all connections share. */
export const turnBudget: TurnBudget = new TurnBudget(eventLoop);
