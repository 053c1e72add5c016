// permessage-deflate as a peer does it, in every way that RFC 7692 section 7.2 allows: with node:zlib's documented functions
// alone, and nothing of the code that is tested.
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { concat } from "../../websocket/support/frames.ts";

/** What one side's messages may refer to. */
export interface Window {
  /** How far back, 2 to the power of this, in bytes. */
  bits: number;
  /** Whether to messages before. */
  takeover: boolean;
}

/** How a part of a message is compressed. */
export interface Part {
  /** How many bytes it has, where there are as many; the last part has the rest. */
  size: number;
  /** 0 is blocks that are stored; more is blocks of any kind, as zlib chooses. */
  level: number;
  /** `Z_FIXED` and the like: what zlib chooses from. */
  strategy: number;
  memLevel: number;
  /** How it ends: with an empty stored block; likewise, and the next part does not refer to it; with BFINAL set to 1. */
  ending: "sync" | "full" | "final";
}

export const plain: Part = { size: Infinity, level: 6, strategy: 0, memLevel: 8, ending: "sync" };

/** What a message that was flushed ends with, and what is left out of it: section 7.2.1. */
const tail = Uint8Array.of(0, 0, 0xff, 0xff);

const finishFlush = {
  sync: constants.Z_SYNC_FLUSH,
  full: constants.Z_FULL_FLUSH,
  final: constants.Z_FINISH,
} as const;

/** The last bytes of a direction, which what comes next may refer to. */
class History {
  readonly #window: Window;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(window: Window) {
    this.#window = window;
  }

  /** The dictionary for what comes next, as an option of node:zlib; none where there is nothing to refer to. */
  get option(): { dictionary?: Uint8Array } {
    return this.#bytes.length === 0 ? {} : { dictionary: this.#bytes };
  }

  add(bytes: Uint8Array): void {
    this.#bytes = concat(this.#bytes, bytes).slice(-(2 ** this.#window.bits));
  }

  forget(): void {
    this.#bytes = new Uint8Array(0);
  }

  messageEnds(): void {
    if (!this.#window.takeover) this.forget();
  }
}

/** Compresses the messages of one direction. */
export class PeerDeflater {
  readonly #window: Window;
  readonly #history: History;

  constructor(window: Window) {
    this.#window = window;
    this.#history = new History(window);
  }

  /** The payload of a compressed message. */
  deflate(message: Uint8Array, parts: readonly Part[] = [plain]): Uint8Array {
    const pieces: Uint8Array[] = [];
    let rest = message;
    for (const [i, part] of parts.entries()) {
      const bytes = i === parts.length - 1 ? rest : rest.subarray(0, part.size);
      rest = rest.subarray(bytes.length);
      const { level, strategy, memLevel, ending } = part;
      // Of a window of 512 bytes zlib uses no more than 250: with 9 bits it stays within 8, which it does not take.
      const windowBits = Math.max(9, this.#window.bits);
      const options = { level, strategy, memLevel, windowBits, finishFlush: finishFlush[ending] };
      pieces.push(deflateRawSync(bytes, { ...options, ...this.#history.option }));
      this.#history.add(bytes);
      // A block with BFINAL is the last of its data set (RFC 1951 section 3.2.3): what is behind it begins anew.
      if (ending !== "sync") this.#history.forget();
    }
    this.#history.messageEnds();
    const all = concat(...pieces);
    // Section 7.2.1: what does not end with an empty stored block gets one; then its last four octets are left out.
    if (parts.at(-1)?.ending === "final") return concat(all, tail.subarray(0, 1));
    return all.slice(0, -tail.length);
  }
}

/** Decompresses the messages of one direction; throws for what refers to more than it may. */
export class PeerInflater {
  readonly #window: Window;
  readonly #history: History;

  constructor(window: Window) {
    this.#window = window;
    this.#history = new History(window);
  }

  inflate(payload: Uint8Array): Uint8Array {
    const options = { windowBits: this.#window.bits, finishFlush: constants.Z_SYNC_FLUSH, ...this.#history.option };
    const message = new Uint8Array(inflateRawSync(concat(payload, tail), options));
    this.#history.add(message);
    this.#history.messageEnds();
    return message;
  }
}
