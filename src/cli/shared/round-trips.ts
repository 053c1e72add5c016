import { systemClock, type Clock } from "../../core/index.ts";
import type { ControlKind, Stream } from "../../websocket/index.ts";

/** Sends pings and measures round trips. `control` must be the `control` handler of the stream. */
export class RoundTrips {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, () => void>();
  #last = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  readonly control = (_: unknown, kind: ControlKind, payload: Uint8Array): void => {
    const number = Number(Buffer.from(payload).toString("latin1"));
    if (kind !== "pong" || !this.#waiting.has(number)) return;
    // A pong answers its own ping and all earlier ones (RFC 6455 section 5.5.3).
    for (const [earlier, answered] of this.#waiting) {
      if (earlier > number) continue;
      this.#waiting.delete(earlier);
      answered();
    }
  };

  /**
   * Sends a ping; fulfils with the round trip in milliseconds when the pong arrives. Without a pong it never settles.
   */
  async ping(ws: Pick<Stream, "ping">): Promise<number> {
    const number = ++this.#last;
    const answered = new Promise<void>((resolve) => this.#waiting.set(number, resolve));
    const sent = this.#clock.now();
    await ws.ping(String(number));
    await answered;
    return this.#clock.now() - sent;
  }
}
