import type { Clock } from "../../core/index.ts";
import type { Stream } from "../../websocket/index.ts";
import type { RoundTrips } from "../shared/round-trips.ts";

/** How long input that may be there already is looked for after the end of the connection, in milliseconds. */
const lookingMs = 100;

/** How many pings may wait for their pongs at once. */
const mostAsked = 16;

/**
 * The messages of the input on their way to the server, and which are lost if it closes: those that could not be sent,
 * and those that it had not come to. For these, `trips` sends pings before messages: a server answers a ping before it
 * takes the message after it (RFC 6455 section 5.5.2).
 */
export class Outgoing {
  readonly #ws: Pick<Stream, "write" | "ping" | "stats">;
  readonly #trips: RoundTrips | undefined;
  #given = 0;
  /** The numbers of the messages before which a ping was sent that has no pong yet, in their order. */
  #asked: number[] = [];
  /** Whether the server answers pings. */
  #answers = false;

  constructor(ws: Pick<Stream, "write" | "ping" | "stats">, trips?: RoundTrips) {
    this.#ws = ws;
    this.#trips = trips;
  }

  /** Sends a message as `ws.write` does, and counts it. */
  write(data: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const number = ++this.#given;
    if (this.#trips !== undefined && this.#asked.length < mostAsked) this.#ask(this.#trips, number);
    return this.#ws.write(data);
  }

  #ask(trips: RoundTrips, number: number): void {
    this.#asked.push(number);
    trips.ping(this.#ws).then(
      () => {
        this.#answers = true;
        this.#asked = this.#asked.filter((other) => other > number);
      },
      () => {},
    );
  }

  /**
   * After the end of the connection: the number of the first message that is lost, counted from 1; undefined if none is
   * known to be. `sending` settles when the input has been sent, or one of it can't be: what has been written to a pipe
   * may not have been read yet. An input that goes on is not waited for.
   */
  async firstLost(sending: Promise<unknown>, clock: Clock): Promise<number | undefined> {
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(lookingMs, resolve);
      const settled = (): void => {
        timer.cancel();
        resolve();
      };
      sending.then(settled, settled);
    });
    const { messagesSent } = this.#ws.stats();
    const unsent = this.#given > messagesSent ? messagesSent + 1 : Infinity;
    const unanswered = this.#answers ? (this.#asked[0] ?? Infinity) : Infinity;
    const first = Math.min(unsent, unanswered);
    return first === Infinity ? undefined : first;
  }
}
