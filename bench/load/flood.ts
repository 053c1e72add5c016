import type { FloodKind } from "../workloads.ts";
import { FrameCounter } from "./frame-counter.ts";
import { deflatedFrame, maskedFrame, messageFrame } from "./frames.ts";
import { Run, type LoadResult } from "./run.ts";
import { openMany, openWebSocket } from "./upgrade.ts";
import type { Wire } from "./wire.ts";

const block = 64 * 1024;

/** The frame that each kind of flood repeats. */
const frames: Record<FloodKind, Buffer> = {
  messages: messageFrame({ size: 64, text: false, deflate: false }, 0),
  pings: maskedFrame(0x89, new Uint8Array(8)),
  // Less than a hundred bytes, from which the server makes many.
  inflate: deflatedFrame(0x82, new Uint8Array(60_000)),
};

/** Peers that send as much as the server takes, and drop what comes back. */
export class Flood {
  readonly #wires: readonly Wire[];
  #isOn = false;

  private constructor(wires: readonly Wire[]) {
    this.#wires = wires;
  }

  static async open(port: number, connections: number): Promise<Flood> {
    return new Flood(await openMany(connections, () => openWebSocket(port, { deflate: true })));
  }

  start(kind: FloodKind): void {
    this.#isOn = true;
    const frame = frames[kind];
    const data = Buffer.concat(Array.from({ length: Math.ceil(block / frame.length) }, () => frame));
    for (const wire of this.#wires) {
      wire.onData = () => {};
      // A server may well end it; then there is one less.
      wire.onEnd = () => wire.close();
      const send = (): void => {
        if (!this.#isOn) return;
        // Not in a loop: a server that takes everything would have all of our time.
        if (wire.send(data)) setImmediate(send);
      };
      wire.onSent = send;
      send();
    }
  }

  close(): void {
    this.#isOn = false;
    for (const wire of this.#wires) wire.reset();
  }
}

/** An honest peer beside a flood: one small message each few milliseconds, and how long its echo takes. */
export async function pulse(port: number, milliseconds: number): Promise<LoadResult> {
  const wire = await openWebSocket(port, { deflate: true });
  const run = new Run(milliseconds);
  const counter = new FrameCounter();
  const message = messageFrame({ size: 64, text: true, deflate: false }, 0);
  let start = 0;
  const send = (): void => {
    start = performance.now();
    wire.send(message);
  };
  wire.onEnd = () => run.fail(new Error("the server ended an honest client's connection"));
  wire.onData = (bytes, length) => {
    if (counter.count(bytes, length) === 0) return;
    if (run.isOver(run.done(start))) run.finish();
    else setTimeout(send, 5);
  };
  send();
  try {
    return await run.result;
  } finally {
    wire.close();
  }
}
