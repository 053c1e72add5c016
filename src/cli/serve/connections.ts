import type { Statistics, Stream } from "../../websocket/index.ts";
import { idOf } from "./handshakes.ts";

/** The open connections whose pages ask about them, by the `id` that {@link Handshakes} knows them by too. */
export class Connections {
  readonly #open = new Map<string, Stream>();
  #pings = 0;

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** A connection has opened. Without an `id` in its request's query it is of no interest. */
  add(ws: Stream): void {
    const id = ws.request && idOf(ws.request);
    if (id !== undefined) this.#open.set(id, ws);
  }

  /** Forgets a connection that has ended, but not another that has taken its id since. */
  remove(ws: Stream): void {
    const id = ws.request && idOf(ws.request);
    if (id !== undefined && this.#open.get(id) === ws) this.#open.delete(id);
  }

  /**
   * What has gone over a connection. It is pinged as well, so that the next question is answered with its round trip. No
   * two pings are the same: a late answer is not taken for that to a later one.
   */
  look(id: string): Statistics | undefined {
    const ws = this.#open.get(id);
    if (ws === undefined || !ws.isOpen) return undefined;
    const statistics = ws.stats();
    void ws.ping(String(++this.#pings));
    return statistics;
  }
}
