import type { Clock } from "../../core/index.ts";
import { attentive } from "../../core/internal.ts";
import type { Stream } from "../../websocket/index.ts";

/** How long input that may be there already is looked for after the end of the connection, in milliseconds. */
const lookingMs = 100;

/** The messages of the input on their way to the server: what of them could not be sent, if it closes. */
export class Outgoing {
  readonly #ws: Pick<Stream, "write" | "stats">;
  #given = 0;

  constructor(ws: Pick<Stream, "write" | "stats">) {
    this.#ws = ws;
  }

  /** Sends a message as `ws.write` does, and counts it. */
  write(data: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    this.#given++;
    return this.#ws.write(data);
  }

  /**
   * After the end of the connection: the number of the first message that was not sent, counted from 1; undefined if
   * all were. `sending` settles when the input has been sent, or one of it can't be: what has been written to a pipe
   * may not have been read yet. An input that goes on is not waited for.
   */
  async firstUnsent(sending: Promise<unknown>, clock: Clock): Promise<number | undefined> {
    await new Promise<void>((resolve) => {
      const timer = attentive(clock).setTimer(lookingMs, resolve);
      const settled = (): void => {
        timer.cancel();
        resolve();
      };
      sending.then(settled, settled);
    });
    const { messagesSent } = this.#ws.stats();
    return this.#given > messagesSent ? messagesSent + 1 : undefined;
  }
}
