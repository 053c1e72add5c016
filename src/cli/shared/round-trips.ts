import { systemClock, type Clock } from "../../core/index.ts";
import type { ControlKind, Stream } from "../../websocket/index.ts";

/** Pings, and how long their answers take. `control` is a handler of the stream that they are sent on. */
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
    // RFC 6455 section 5.5.3: one pong may answer all pings up to its own.
    for (const [earlier, answered] of this.#waiting) {
      if (earlier > number) continue;
      this.#waiting.delete(earlier);
      answered();
    }
  };

  /** Sends a ping; fulfils at the answer with the time that took, in milliseconds. Without an answer, never. */
  async ping(ws: Pick<Stream, "ping">): Promise<number> {
    const number = ++this.#last;
    const answered = new Promise<void>((resolve) => this.#waiting.set(number, resolve));
    const sent = this.#clock.now();
    await ws.ping(String(number));
    await answered;
    return this.#clock.now() - sent;
  }
}
