import type { Readable } from "node:stream";
import type { Stream } from "../../websocket/index.ts";
import { lines } from "../shared/lines.ts";
import type { Quiet } from "../shared/quiet.ts";
import type { RoundTrips } from "../shared/round-trips.ts";

/** What the sending of an input works with. */
export interface PipedInput {
  readonly ws: Pick<Stream, "write" | "ping">;
  readonly stdin: Readable;
  /** Whether the whole input is one binary message, in the place of a text message for each line. */
  readonly binary: boolean;
  readonly trips: RoundTrips;
  readonly quiet: Quiet;
  /** The silence that ends it, in milliseconds; Infinity for none. */
  readonly wait: number;
  /** How long the peer may take to answer the ping after all messages, in milliseconds. */
  readonly patience: number;
}

/**
 * Sends an input. Fulfils when it has ended and the answers are in, as far as anyone can know: the peer has answered a
 * ping that was sent after it, so it has received everything, and has been silent for `wait` since. Throws what the
 * input or the connection fails with.
 */
export async function sendPiped({ ws, stdin, binary, trips, quiet, wait, patience }: PipedInput): Promise<void> {
  if (binary) await sendWhole(ws, stdin);
  else for await (const line of lines(stdin)) await ws.write(line);
  if (wait === Infinity) return;
  // Of a peer that answers no pings, silence is all that can be had.
  await Promise.race([trips.ping(ws), quiet.lasting(patience)]);
  await quiet.lasting(wait);
}

/** As it comes, in one message; none for an input that is empty. */
async function sendWhole(ws: Pick<Stream, "write">, stdin: Readable): Promise<void> {
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
