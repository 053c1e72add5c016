import type { Readable } from "node:stream";
import type { Stream } from "../../websocket/index.ts";
import { lines } from "../shared/lines.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Quiet } from "../shared/quiet.ts";
import type { RoundTrips } from "../shared/round-trips.ts";

/** Sends the whole input as one binary message, or each of its lines as a text message. */
export async function sendPiped(ws: Pick<Outgoing, "write">, stdin: Readable, binary: boolean): Promise<void> {
  if (binary) await sendWhole(ws, stdin);
  else for await (const line of lines(stdin)) await ws.write(line);
}

/** What `answered` needs. */
export interface Answering {
  readonly ws: Pick<Stream, "ping">;
  readonly trips: RoundTrips;
  readonly quiet: Quiet;
  /** How long the peer must be silent before the connection is closed, in milliseconds; Infinity for never. */
  readonly wait: number;
  /** How long the peer may take to answer the ping after the last message, in milliseconds. */
  readonly patience: number;
}

/**
 * Waits for the answers to an input that was sent. There is no certain end of answers: it fulfils when the peer has
 * answered a ping that was sent after the last message, so has received everything, and has then been silent for
 * `wait`. Rejects with the failure of the connection.
 */
export async function answered({ ws, trips, quiet, wait, patience }: Answering): Promise<void> {
  if (wait === Infinity) return;
  // A peer that answers no pings can only be waited for until it is silent.
  await Promise.race([trips.ping(ws), quiet.lasting(patience)]);
  await quiet.lasting(wait);
}

/** Sends the input as one message, in parts as they arrive; an empty input sends none. */
async function sendWhole(ws: Pick<Outgoing, "write">, stdin: Readable): Promise<void> {
  const chunks = stdin.iterator() as AsyncIterableIterator<Uint8Array>;
  const first = await chunks.next();
  if (first.done === true) return;
  await ws.write(
    (async function* all() {
      yield first.value;
      yield* chunks;
    })(),
  );
}
