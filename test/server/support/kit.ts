// Hubs, and clients of theirs over pairs in memory that speak in bytes.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Peer } from "../../../src/core/index.ts";
import { Hub, type PlainConnections } from "../../../src/server/hub.ts";
import type { ServerOptions, ServerWebSocket } from "../../../src/server/index.ts";
import { pair, VirtualClock, type PairOptions } from "../../../src/testing/index.ts";
import { frame } from "../../websocket/support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { WebSocketPeer } from "../../websocket/support/kit.ts";
import { requestOf, type Changes } from "../../websocket/support/requests.ts";

const nothing = new Uint8Array(0);

/** A hub, with a clock that stands still. */
export function hubOf<Data = unknown>(
  options: ServerOptions<Data> = {},
  plain?: PlainConnections,
): { hub: Hub<Data>; clock: VirtualClock } {
  const clock = new VirtualClock();
  const timeouts = { handshake: 1000, idle: Infinity, ...options.timeouts };
  return { hub: new Hub<Data>({ message: () => {}, clock, ...options, timeouts }, plain), clock };
}

/** A client's end of a WebSocket, and the server's. */
export interface Client<Data = unknown> {
  readonly ws: ServerWebSocket<Data>;
  readonly peer: WebSocketPeer;
}

/** Has a client connect, which may be refused, or still be opening. */
export function connect<Data>(
  hub: Hub<Data>,
  { headers, client, ...options }: PairOptions & { headers?: Changes; client?: Peer } = {},
): Client<Data> {
  const [stream, other] = pair({}, { capacity: Infinity, ...options });
  let ws!: ServerWebSocket<Data>;
  const begun = (message: unknown): void => void ({ ws } = message as { ws: ServerWebSocket<Data> });
  subscribe("serval:handshake", begun);
  hub.upgrade(stream, requestOf(headers), nothing, client, hub.enter(client));
  unsubscribe("serval:handshake", begun);
  return { ws, peer: new WebSocketPeer(other) };
}

/** Has one connect, and lets it open. */
export async function opened<Data>(hub: Hub<Data>, options?: Parameters<typeof connect>[1]): Promise<Client<Data>> {
  const client = connect(hub, options);
  await quiet();
  return client;
}

/** Answers the close that a client was sent, and ends. */
export async function leave({ peer }: Client): Promise<void> {
  peer.resume();
  await quiet();
  await peer.write(frame(8, Uint8Array.of(3, 0xe8)));
  peer.stream.end();
  await quiet();
}
