import type { Stream } from "../../websocket/index.ts";
import { InFlight } from "./in-flight.ts";
import type { LoadOptions } from "./load-options.ts";
import { filler, numbersIn, readStamp, stampSize, writeStamp } from "./stamp.ts";
import type { Tally } from "./tally.ts";

/** `send` copies messages up to this size. Larger ones are sent in place, so each needs a stamp of its own. */
const copiedUpTo = 16 * 1024;

/** The content shared by all messages of a load. */
export class Template {
  readonly size: number;
  readonly isText: boolean;
  readonly #bytes: Uint8Array;
  readonly #rest: Uint8Array;
  readonly #sendOptions: { readonly kind: "text" | "binary" };

  constructor({ size, isText }: Pick<LoadOptions, "size" | "isText">) {
    this.size = size;
    this.isText = isText;
    this.#bytes = filler(size);
    this.#rest = this.#bytes.subarray(Math.min(size, stampSize));
    this.#sendOptions = { kind: isText ? "text" : "binary" };
  }

  /** Sends the message with this number; returns whether there is room for more. */
  send(ws: Stream<LoadConnection>, number: number, connection: number): boolean {
    if (this.size <= copiedUpTo) {
      writeStamp(this.#bytes, number, connection);
      return ws.send(this.#bytes, this.#sendOptions);
    }
    const stamp = new Uint8Array(stampSize);
    writeStamp(stamp, number, connection);
    return ws.send([stamp, this.#rest], this.#sendOptions);
  }

  /** The number of a received message; -1 if it differs from what was sent. */
  numberOf(ws: Stream<LoadConnection>, message: Uint8Array, connection: number): number {
    const isAlike = message.length === this.size && ws.gotText === this.isText;
    return isAlike ? readStamp(message, connection) : -1;
  }
}

/** One connection of a load: sends messages, matches answers, and counts. */
export class LoadConnection {
  readonly ws: Stream<LoadConnection>;
  /** Messages that wait for an answer. */
  readonly out: InFlight;
  readonly #number: number;
  readonly #template: Template;
  readonly #tally: Tally;
  /** Messages that expect no answer. */
  #told = 0;

  constructor(ws: Stream<LoadConnection>, number: number, depth: number, template: Template, tally: Tally) {
    this.ws = ws;
    this.out = new InFlight(depth, numbersIn(template.size));
    this.#number = number;
    this.#template = template;
    this.#tally = tally;
  }

  /** Sends a message that is due at `time` and expects an answer. */
  ask(time: number): void {
    const { next } = this.out;
    this.out.add(time);
    this.#count(time);
    this.#template.send(this.ws, next, this.#number);
  }

  /** Sends a message that expects no answer; returns whether there is room for more. */
  tell(time: number): boolean {
    this.#count(time);
    this.#told++;
    return this.#template.send(this.ws, 0, this.#number);
  }

  /** Handles a received message; returns how many messages left `out`. */
  answered(message: Uint8Array, now: number): number {
    const { out } = this;
    const tally = this.#tally;
    const before = out.count;
    const number = this.#template.numberOf(this.ws, message, this.#number);
    const place = number < 0 ? -1 : out.before(number);
    if (place < 0) {
      // A wrong message counts as the answer to the oldest in flight. A valid stamp without a message in flight is a
      // late answer.
      if (number >= 0 || before === 0) tally.unasked++;
      else if (tally.isCounted(out.take())) tally.wrong++;
      return before - out.count;
    }
    for (let i = 0; i < place; i++) this.#lose();
    const time = out.take();
    if (tally.isCounted(time)) {
      tally.received++;
      tally.bytesReceived += message.length;
      tally.latency.record(now - time);
    }
    return before - out.count;
  }

  /**
   * Empties `out`: the messages count as lost or, if the load was interrupted, as pending. Returns how many there were.
   */
  giveUp(interrupted: boolean): number {
    const { count } = this.out;
    while (this.out.count > 0) {
      if (!interrupted) this.#lose();
      else if (this.#tally.isCounted(this.out.take())) this.#tally.pending++;
    }
    return count;
  }

  /** The connection has ended: messages that expect no answer and waited for room are lost. */
  loseUntold(): void {
    if (this.#told > 0) this.#tally.lost += Math.max(0, this.#told - this.ws.stats().messagesSent);
  }

  #lose(): void {
    if (this.#tally.isCounted(this.out.take())) this.#tally.lost++;
  }

  #count(time: number): void {
    if (!this.#tally.isCounted(time)) return;
    this.#tally.sent++;
    this.#tally.bytesSent += this.#template.size;
  }
}
