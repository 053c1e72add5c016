import { serializeHead, type Request, type Response } from "../../http/index.ts";

/** An opening handshake as it went over the wire. */
export interface Handshake {
  readonly request: string;
  readonly response: string;
}

/** What a page calls its connection, in the query of the URL that it connects to: hard to guess, for others can't ask then. */
const idPattern = /^[\w-]{16,64}$/;

/** The id in a request's query, if it is one. */
export function idOf(request: Request): string | undefined {
  const id = new URLSearchParams(request.query).get("id");
  return id !== null && idPattern.test(id) ? id : undefined;
}

/**
 * The handshakes of late, for the pages that made them: a browser's script is told neither its request nor the
 * response. Each can be taken once. The oldest go first when there are too many.
 */
export class Handshakes {
  readonly #atMost: number;
  readonly #made = new Map<string, Handshake>();

  constructor(atMost = 256) {
    this.#atMost = atMost;
  }

  /** How many are kept. */
  get size(): number {
    return this.#made.size;
  }

  /** A response leaves, and nothing is changed in it any more. Without an `id` in the request's query it is of no interest. */
  add(request: Request, response: Response): void {
    const id = idOf(request);
    if (id === undefined) return;
    const head = Buffer.from(serializeHead(response)).toString("latin1");
    this.#made.delete(id);
    this.#made.set(id, { request: textOf(request), response: head });
    if (this.#made.size <= this.#atMost) return;
    const [oldest] = this.#made.keys();
    this.#made.delete(oldest!);
  }

  /** The handshake of a connection, and forgets it. */
  take(id: string): Handshake | undefined {
    const handshake = this.#made.get(id);
    this.#made.delete(id);
    return handshake;
  }
}

/** The request's head. The one thing that may differ from what came is space around the values. */
function textOf({ method, target, version, headers }: Request): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/${(version / 10).toFixed(1)}\r\n${lines.join("")}\r\n`;
}
