import type { Statistics, Stream } from "../../websocket/index.ts";
import { idOf } from "./handshakes.ts";

/** Open connections of the page, by the `id` that also finds them in {@link Handshakes}. */
export class Connections {
  readonly #open = new Map<string, Stream>();
  #pings = 0;

  /** How many connections there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Adds an open connection, if its request's query has an `id`. */
  add(ws: Stream): void {
    const id = ws.request && idOf(ws.request);
    if (id !== undefined) this.#open.set(id, ws);
  }

  /** Removes a connection that has ended, unless another has taken its id since. */
  remove(ws: Stream): void {
    const id = ws.request && idOf(ws.request);
    if (id !== undefined && this.#open.get(id) === ws) this.#open.delete(id);
  }

  /**
   * The statistics of a connection. Also pings it, so that the next call has a new round trip. Each ping's payload is
   * unique, so that a late pong is not taken for the answer to a later ping.
   */
  look(id: string): Statistics | undefined {
    const ws = this.#open.get(id);
    if (ws === undefined || !ws.isOpen) return undefined;
    const statistics = ws.stats();
    void ws.ping(String(++this.#pings));
    return statistics;
  }
}
