import { serializeHead, type Request, type Response } from "../../http/index.ts";

/** The bytes of an opening handshake, as text. */
export interface Handshake {
  readonly request: string;
  readonly response: string;
}

/**
 * The id that a page gives its connection in the query of the URL. It must be hard to guess, so that others can't ask
 * for it.
 */
const idPattern = /^[\w-]{16,64}$/;

/** The id in a request's query, if it is valid. */
export function idOf(request: Request): string | undefined {
  const id = new URLSearchParams(request.query).get("id");
  return id !== null && idPattern.test(id) ? id : undefined;
}

/**
 * The latest handshakes, for the pages that made them, since browsers hide them from scripts. Each can be taken once.
 * When there are too many, the oldest is removed.
 */
export class Handshakes {
  readonly #atMost: number;
  readonly #made = new Map<string, Handshake>();

  constructor(atMost = 256) {
    this.#atMost = atMost;
  }

  /** How many handshakes are kept. */
  get size(): number {
    return this.#made.size;
  }

  /** Adds the handshake of a response that is complete and about to be sent, if the request's query has an `id`. */
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

  /** Removes and returns the handshake of a connection. */
  take(id: string): Handshake | undefined {
    const handshake = this.#made.get(id);
    this.#made.delete(id);
    return handshake;
  }
}

/** The request's head. Only the whitespace around values may differ from the bytes received. */
function textOf({ method, target, version, headers }: Request): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/${(version / 10).toFixed(1)}\r\n${lines.join("")}\r\n`;
}
