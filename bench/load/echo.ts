import { inflateRawSync, constants } from "node:zlib";
import { FrameCounter, SizeCounter, type Counter } from "./frame-counter.ts";
import { messageFrame, messageFrames, payload, type MessageForm } from "./frames.ts";
import { requestBytes, responseSize, type HttpForm } from "./http-forms.ts";
import { Run, type LoadResult } from "./run.ts";
import { openSocketIo } from "./socket-io.ts";
import { openMany, openWebSocket } from "./upgrade.ts";
import { ask, openWire, type Wire } from "./wire.ts";

interface Connection {
  readonly wire: Wire;
  readonly counter: Counter;
}

/** How much text all distinct messages of a load come to, at most, in bytes. */
const textSize = 4 * 1024 * 1024;

/** Connections that send batches of requests, each batch when the replies to the one before have come. */
export class EchoGroup {
  readonly #connections: readonly Connection[];
  readonly #batches: readonly Buffer[];
  readonly #depth: number;
  /** Whether each connection must begin with the first batch. */
  readonly #isOrdered: boolean;

  private constructor(
    connections: readonly Connection[],
    batches: readonly Buffer[],
    depth: number,
    isOrdered = false,
  ) {
    this.#connections = connections;
    this.#batches = batches;
    this.#depth = depth;
    this.#isOrdered = isOrdered;
  }

  /** WebSockets to an echo server, which is tried once: that what comes back is what was sent. */
  static async openWebSockets(
    port: number,
    form: MessageForm,
    { depth, connections, tls }: { depth: number; connections: number; tls: boolean },
  ): Promise<EchoGroup> {
    const wires = await openMany(connections, () =>
      form.isEvent === true ? openSocketIo(port) : openWebSocket(port, { deflate: form.deflate, tls }),
    );
    await orClosed(wires, checkEcho(wires[0]!, form));
    // Distinct texts: a compressor that has seen a message before has an easy time.
    const distinct = form.text ? Math.ceil(Math.min(256, textSize / form.size) / depth) : 1;
    const frames = messageFrames(form, distinct * depth);
    const batches = Array.from({ length: distinct }, (_, batch) =>
      Buffer.concat(frames.slice(batch * depth, (batch + 1) * depth)),
    );
    const counted = wires.map((wire) => ({ wire, counter: new FrameCounter() }));
    return new EchoGroup(counted, batches, depth, form.deflate === "takeover");
  }

  /** HTTP connections, kept alive, to a server whose responses all have the size of the first, which is looked at. */
  static async openHttp(
    port: number,
    form: HttpForm,
    { depth, connections }: { depth: number; connections: number },
  ): Promise<EchoGroup> {
    const request = requestBytes(form, false);
    const wires = await openMany(connections, () => openWire(port));
    const isWhole = (received: Buffer): boolean => responseSize(form, received) > 0;
    const response = await orClosed(wires, ask(wires[0]!, request, isWhole));
    const counted = wires.map((wire) => ({ wire, counter: new SizeCounter(response.length) }));
    return new EchoGroup(counted, [Buffer.concat(Array.from({ length: depth }, () => request))], depth);
  }

  /** Sends for so long. */
  run(milliseconds: number): Promise<LoadResult> {
    const run = new Run(milliseconds);
    let open = this.#connections.length;
    const finished = (): void => {
      if (--open === 0) run.finish();
    };
    for (const [i, connection] of this.#connections.entries()) this.#rounds(run, connection, i, finished);
    return run.result;
  }

  #rounds(run: Run, { wire, counter }: Connection, first: number, finished: () => void): void {
    const depth = this.#depth;
    let next = this.#isOrdered ? 0 : first;
    let missing = depth;
    let start = performance.now();
    const send = (): void => {
      missing = depth;
      wire.send(this.#batches[next++ % this.#batches.length]!);
    };
    wire.onEnd = () => run.fail(new Error("the server ended a connection"));
    wire.onData = (bytes, length) => {
      missing -= counter.count(bytes, length);
      if (missing > 0) return;
      if (missing < 0) return run.fail(new Error("more came back than was sent"));
      start = run.done(start, depth);
      if (run.isOver(start)) finished();
      else send();
    };
    send();
  }

  close(): void {
    for (const { wire } of this.#connections) wire.close();
  }
}

/** Closes the connections if the work on one of them fails. */
async function orClosed<Result>(wires: readonly Wire[], work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    for (const wire of wires) wire.close();
    throw error;
  }
}

/** Sends one message and compares what comes back. */
async function checkEcho(wire: Wire, form: MessageForm): Promise<void> {
  const counter = new FrameCounter();
  let counted = 0;
  const reply = await ask(wire, messageFrame(form, 0), (received) => {
    const isWhole = counter.count(received.subarray(counted), received.length - counted) > 0;
    counted = received.length;
    return isWhole;
  });
  const size = reply[1]! & 0x7f;
  let data = reply.subarray(size < 126 ? 2 : size === 126 ? 4 : 10);
  if ((reply[0]! & 0x40) !== 0) data = inflated(data);
  if (reply[0]! >= 0x80 && !data.equals(payload(form, 0))) throw new Error("what came back is not what was sent");
  if (form.deflate !== false && (reply[0]! & 0x40) === 0) throw new Error("the server does not compress");
}

function inflated(data: Buffer): Buffer {
  const ended = Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]);
  return inflateRawSync(ended, { finishFlush: constants.Z_SYNC_FLUSH });
}
