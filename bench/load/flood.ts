import { FrameCounter, SizeCounter, type Counter } from "./frame-counter.ts";
import { floodForms, type FloodKind } from "./flood-forms.ts";
import { messageFrame } from "./frames.ts";
import { Run, type LoadResult } from "./run.ts";
import { headSize } from "./http-forms.ts";
import { openMany, openWebSocket } from "./upgrade.ts";
import { ask, openWire, type Wire } from "./wire.ts";

/** Peers that send as much as the server takes, and drop what comes back. */
export class Flood {
  readonly #wires: readonly Wire[];
  readonly #bytes: Buffer;
  /** How many of the connections the server has ended. */
  ended = 0;
  #isOn = false;

  private constructor(wires: readonly Wire[], bytes: Buffer) {
    this.#wires = wires;
    this.#bytes = bytes;
  }

  static async open(port: number, connections: number, kind: FloodKind, tls = false): Promise<Flood> {
    const { isHttp, bytes } = floodForms[kind];
    const open = (): Promise<Wire> => (isHttp ? openWire(port, tls) : openWebSocket(port, { deflate: true, tls }));
    return new Flood(await openMany(connections, open), bytes());
  }

  start(): void {
    this.#isOn = true;
    for (const wire of this.#wires) {
      wire.onData = () => {};
      wire.onEnd = () => {
        this.ended++;
        wire.close();
      };
      const send = (): void => {
        if (!this.#isOn) return;
        // Not in a loop: a server that takes everything would have all of our time.
        if (wire.send(this.#bytes)) setImmediate(send);
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

/** How often an honest peer sends something, in milliseconds. */
const beat = 5;

/** How long the last replies may take: those that have not come by then count as if they came at that time. */
const grace = 5000;

/**
 * An honest peer beside a flood: one small message or request each few milliseconds, and how long the reply takes. They
 * are sent whether or not the one before was answered: one long stop of the server delays as many as it would of many peers.
 */
export async function pulse(
  port: number,
  { milliseconds, isHttp = false, tls = false }: { milliseconds: number; isHttp?: boolean; tls?: boolean },
): Promise<LoadResult> {
  const { wire, counter, request } = await (isHttp ? openHttpPulse(port, tls) : openMessagePulse(port, tls));
  const run = new Run(milliseconds);
  const starts: number[] = [];
  const send = (): void => {
    starts.push(performance.now());
    wire.send(request);
  };
  const timer = setInterval(send, beat);
  const finish = (): void => {
    clearInterval(timer);
    for (const start of starts) run.done(start);
    run.finish();
  };
  const last = setTimeout(finish, milliseconds + grace);
  wire.onEnd = () => run.fail(new Error("the server ended an honest client's connection"));
  wire.onData = (bytes, length) => {
    for (let replies = counter.count(bytes, length); replies > 0; replies--) {
      if (!run.isOver(run.done(starts.shift()!))) continue;
      clearInterval(timer);
      if (starts.length === 0) finish();
    }
  };
  send();
  try {
    return await run.result;
  } finally {
    clearInterval(timer);
    clearTimeout(last);
    wire.close();
  }
}

interface Pulse {
  readonly wire: Wire;
  readonly counter: Counter;
  readonly request: Buffer;
}

async function openMessagePulse(port: number, tls: boolean): Promise<Pulse> {
  const wire = await openWebSocket(port, { deflate: true, tls });
  return { wire, counter: new FrameCounter(), request: messageFrame({ size: 64, text: true, deflate: false }, 0) };
}

async function openHttpPulse(port: number, tls: boolean): Promise<Pulse> {
  const wire = await openWire(port, tls);
  const request = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const isWhole = (received: Buffer): boolean => {
    const size = headSize(received);
    const length = /^content-length: *(\d+)/im.exec(received.toString("latin1"))?.[1];
    return size > 0 && received.length >= size + Number(length);
  };
  const response = await ask(wire, request, isWhole);
  return { wire, counter: new SizeCounter(response.length), request };
}
