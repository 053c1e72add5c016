import { createHash } from "node:crypto";
import { serializeHead, type Request, type Response } from "../http/index.ts";

/** An opening handshake as it went over the wire. */
export interface Handshake {
  readonly request: string;
  readonly response: string;
}

/** What a page calls its connection, in the query of the URL that it connects to: hard to guess, for others can't ask then. */
const idPattern = /^[\w-]{16,64}$/;

/**
 * The handshakes of late, for the pages that made them: a browser's script is told neither its request nor the
 * response. Each can be taken once. The oldest go first when there are too many.
 */
export class Handshakes {
  readonly #atMost: number;
  /** Requests whose response is not known yet, by the `Sec-WebSocket-Accept` that it will have: RFC 6455 section 4.2.2. */
  readonly #waiting = new Map<string, { readonly id: string; readonly request: string }>();
  readonly #made = new Map<string, Handshake>();

  constructor(atMost = 256) {
    this.#atMost = atMost;
  }

  /** How many are kept. */
  get size(): number {
    return this.#waiting.size + this.#made.size;
  }

  /** A valid upgrade request came. Without an `id` in its query it is of no interest. */
  requested(request: Request): void {
    const id = new URLSearchParams(request.query).get("id");
    if (id === null || !idPattern.test(id)) return;
    const key = request.fields.get("Sec-WebSocket-Key") ?? "";
    this.#keep(this.#waiting, acceptOf(key), { id, request: textOf(request) });
  }

  /** A response leaves; nothing is changed in it any more. */
  responded(response: Response): void {
    const accept = response.fields.get("Sec-WebSocket-Accept") ?? "";
    const waiting = this.#waiting.get(accept);
    if (waiting === undefined) return;
    this.#waiting.delete(accept);
    const head = Buffer.from(serializeHead(response)).toString("latin1");
    this.#keep(this.#made, waiting.id, { request: waiting.request, response: head });
  }

  /** The handshake of a connection, and forgets it. */
  take(id: string): Handshake | undefined {
    const handshake = this.#made.get(id);
    this.#made.delete(id);
    return handshake;
  }

  #keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
    map.delete(key);
    map.set(key, value);
    if (map.size <= this.#atMost) return;
    const [oldest] = map.keys();
    map.delete(oldest!);
  }
}

/** The request's head. The one thing that may differ from what came is space around the values. */
function textOf({ method, target, version, fields }: Request): string {
  const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/${(version / 10).toFixed(1)}\r\n${lines.join("")}\r\n`;
}

function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
