import type { ByteStream, Clock } from "../core/index.ts";
import { Response, write } from "../http/index.ts";
import { Lingering } from "../http/internal.ts";

/** How many milliseconds a client has to read a refusal and end its side. */
const lingerMs = 2_000;

/** How many refused connections of a server may be ending, beside those that it counts: a share, within bounds. */
const share = 1 / 10;
const least = 250;
const most = 1_000;

/** The response to a connection over the limit of its address. */
export function tooManyFromAddress(): Response {
  const body = "There are too many connections from this address\n";
  return new Response({ status: 429, headers: { "Retry-After": "10" }, body });
}

/** The response to a connection over the limit of the server. */
export function tooMany(): Response {
  return new Response({ status: 503, headers: { "Retry-After": "10" }, body: "There are too many connections\n" });
}

/** The connections of a server that are refused and end, outside of `maxConnections`, each with a descriptor. */
export class Refusals {
  readonly #clock: Clock;
  readonly #most: number;
  #count = 0;

  constructor(clock: Clock, maxConnections: number) {
    this.#clock = clock;
    this.#most = Math.min(most, Math.max(least, Math.ceil(maxConnections * share)));
  }

  /**
   * Sends a response on a stream that is not read, and ends the stream; never waits for long. If too many are ending,
   * this one is closed at once.
   */
  refuse(stream: ByteStream, response: Response): void {
    if (this.#count >= this.#most) {
      stream.close();
      return;
    }
    this.#count++;
    // From now on, since a client may also be slow to take the response.
    const lingering = new Lingering(stream, this.#clock, lingerMs, () => {
      this.#count--;
      stream.close();
    });
    response.headers.set("Connection", "close");
    try {
      write(stream, response, (error) => {
        if (error === undefined) lingering.start(false);
        else lingering.end();
      });
    } catch {
      lingering.end();
    }
  }
}
