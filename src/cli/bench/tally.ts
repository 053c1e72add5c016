import type { ServalError } from "../../core/index.ts";
import { Histogram } from "./histogram.ts";

/** How often each of several things came, by name. */
export type Counts = Map<string, number>;

/** What became of a load. Of messages, only those count that were sent, or due, from `since` on. Pure. */
export class Tally {
  /** When messages began to count, and for how many milliseconds they did. */
  since: number = Infinity;
  elapsed = 0;
  /** Whether it was ended early. */
  interrupted = false;
  /** Processor time of this process while messages counted, in milliseconds. */
  processor = 0;

  /** Connections that were opened, those that are open, those that ended before the load did. */
  opened = 0;
  open = 0;
  closedEarly = 0;
  /** How long opening took. */
  readonly opening: Histogram = new Histogram();
  /** Why connections could not be opened: codes of errors, statuses of responses that were no 101, the first error's words. */
  readonly failures: Counts = new Map();
  readonly statuses: Counts = new Map();
  firstFailure: string | undefined;
  /** How connections ended: close codes; and why those failed that had been open. */
  readonly closes: Counts = new Map();
  readonly errors: Counts = new Map();

  sent = 0;
  received = 0;
  /** Bytes of messages. */
  bytesSent = 0;
  bytesReceived = 0;
  /** Answers that differ from what was sent; those that never came; those that were out when the load was ended early. */
  wrong = 0;
  lost = 0;
  pending = 0;
  /** Messages that answered none that was out. */
  unasked = 0;
  /** Messages that were due and could not be sent. */
  unsent = 0;
  readonly latency: Histogram = new Histogram();

  /** A connection could not be opened. */
  failed(error: ServalError): void {
    count(this.failures, error.code);
    if (error.response !== undefined) count(this.statuses, String(error.response.status));
    this.firstFailure ??= error.message;
  }

  /** A connection that was open failed. */
  broke(error: ServalError): void {
    count(this.errors, error.code);
  }

  /** A connection ended. */
  closed(code: number, isEarly: boolean): void {
    this.open--;
    if (isEarly) this.closedEarly++;
    count(this.closes, String(code));
  }

  /** Whether a message of this time counts. */
  isCounted(time: number): boolean {
    return time >= this.since;
  }
}

/** How many there are of all. */
export function total(counts: Counts): number {
  let sum = 0;
  for (const number of counts.values()) sum += number;
  return sum;
}

function count(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
