import type { ServalError } from "../../core/index.ts";
import { Histogram } from "./histogram.ts";

/** Counts by name. */
export type Counts = Map<string, number>;

/** The counts of a load. Only messages sent or due since `since` are counted. Pure. */
export class Tally {
  /** When messages began to count, and how long they counted, in milliseconds. */
  since: number = Infinity;
  elapsed = 0;
  /** Whether the load was ended early. */
  interrupted = false;
  /** Processor time of this process while messages counted, in milliseconds. */
  processor = 0;

  /** Connections that were opened, that are open now, and that ended before the load did. */
  opened = 0;
  open = 0;
  closedEarly = 0;
  /** How long connections took to open. */
  readonly opening: Histogram = new Histogram();
  /**
   * Why connections could not be opened: error codes, the status of responses other than 101, and the first error's
   * message.
   */
  readonly failures: Counts = new Map();
  readonly statuses: Counts = new Map();
  firstFailure: string | undefined;
  /** How connections ended: close codes, and error codes of connections that failed after they had opened. */
  readonly closes: Counts = new Map();
  readonly errors: Counts = new Map();

  sent = 0;
  received = 0;
  /** Bytes of messages. */
  bytesSent = 0;
  bytesReceived = 0;
  /**
   * Answers that were wrong, that never arrived (without answers: messages that could not be sent since their connection
   * ended), and that were in flight when the load was ended early.
   */
  wrong = 0;
  lost = 0;
  pending = 0;
  /** Messages received that answer none in flight. */
  unasked = 0;
  /** Messages that were due but could not be sent. */
  unsent = 0;
  readonly latency: Histogram = new Histogram();

  /** Counts a connection that could not be opened. */
  failed(error: ServalError): void {
    count(this.failures, error.code);
    if (error.response !== undefined) count(this.statuses, String(error.response.status));
    this.firstFailure ??= error.message;
  }

  /** Counts the failure of an open connection. */
  broke(error: ServalError): void {
    count(this.errors, error.code);
  }

  /** Counts the end of a connection. */
  closed(code: number, isEarly: boolean): void {
    this.open--;
    if (isEarly) this.closedEarly++;
    count(this.closes, String(code));
  }

  /** Whether a message with this time counts. */
  isCounted(time: number): boolean {
    return time >= this.since;
  }
}

/** The sum of all counts. */
export function total(counts: Counts): number {
  let sum = 0;
  for (const number of counts.values()) sum += number;
  return sum;
}

function count(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
