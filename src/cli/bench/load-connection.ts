import type { Stream } from "../../websocket/index.ts";
import { InFlight } from "./in-flight.ts";
import type { LoadOptions } from "./load-options.ts";
import { filler, numbersIn, readStamp, stampSize, writeStamp } from "./stamp.ts";
import type { Tally } from "./tally.ts";

/** `send` copies messages up to this size; larger ones must stay as they are. */
const copiedUpTo = 16 * 1024;

/** What the messages of all connections of a load have in common. */
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

  /** Sends the message of this number; says whether there is room for more. */
  send(ws: Stream<LoadConnection>, number: number, connection: number): boolean {
    if (this.size <= copiedUpTo) {
      writeStamp(this.#bytes, number, connection);
      return ws.send(this.#bytes, this.#sendOptions);
    }
    const stamp = new Uint8Array(stampSize);
    writeStamp(stamp, number, connection);
    return ws.send([stamp, this.#rest], this.#sendOptions);
  }

  /** The number of a message that came; -1 where it differs from what was sent. */
  numberOf(ws: Stream<LoadConnection>, message: Uint8Array, connection: number): number {
    const isAlike = message.length === this.size && ws.gotText === this.isText;
    return isAlike ? readStamp(message, connection) : -1;
  }
}

/** One connection of a load: sends messages, knows their answers, and counts. */
export class LoadConnection {
  readonly ws: Stream<LoadConnection>;
  /** The messages that are to be answered. */
  readonly out: InFlight;
  readonly #number: number;
  readonly #template: Template;
  readonly #tally: Tally;

  constructor(ws: Stream<LoadConnection>, number: number, depth: number, template: Template, tally: Tally) {
    this.ws = ws;
    this.out = new InFlight(depth, numbersIn(template.size));
    this.#number = number;
    this.#template = template;
    this.#tally = tally;
  }

  /** Sends a message that is due at `time`, and is to be answered. */
  ask(time: number): void {
    const { next } = this.out;
    this.out.add(time);
    this.#count(time);
    this.#template.send(this.ws, next, this.#number);
  }

  /** Sends a message that has no answer; says whether there is room for more. */
  tell(time: number): boolean {
    this.#count(time);
    return this.#template.send(this.ws, 0, this.#number);
  }

  /** A message came: returns how many are out no more. */
  answered(message: Uint8Array, now: number): number {
    const { out } = this;
    const tally = this.#tally;
    const before = out.count;
    const number = this.#template.numberOf(this.ws, message, this.#number);
    const place = number < 0 ? -1 : out.before(number);
    if (place < 0) {
      // It counts for the oldest that is out, unless it is the answer to one that has been given up.
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

  /** What is out will not be answered; or nobody waits for it, where the load was ended early. Returns how many that are. */
  giveUp(interrupted: boolean): number {
    const { count } = this.out;
    while (this.out.count > 0) {
      if (!interrupted) this.#lose();
      else if (this.#tally.isCounted(this.out.take())) this.#tally.pending++;
    }
    return count;
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
