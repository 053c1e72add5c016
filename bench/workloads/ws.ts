import type { Deflate } from "../load/frames.ts";
import { kibibyte, type EchoLoad, type Member, type ServerMode } from "../workload.ts";

/** One program for both: they differ by the module that it imports. */
const program = "ws.mjs";
const peers = ["ws"];

function echo(
  key: string,
  title: string,
  load: EchoLoad,
  { bar, ...mode }: { bar?: number; deflate?: Deflate; mode?: ServerMode["mode"] } = {},
): Member {
  const server: ServerMode = { mode: "echo", program, ...mode };
  const limit = bar === undefined ? {} : { bar };
  return {
    key,
    title: `serval/ws: ${title}`,
    unit: "message",
    metric: "cpu",
    server,
    peers,
    kind: "echo",
    load,
    ...limit,
  };
}

const one: EchoLoad = { size: 64, depth: 1, connections: 50 };
const deep: EchoLoad = { ...one, depth: 64 };
const json: EchoLoad = { size: 477, depth: 16, connections: 50, text: true };
const event: EchoLoad = { ...one, text: true, isEvent: true };
const common = { server: { mode: "echo", program }, peers } as const;

/** A program of `ws`, over `ws` and over `serval/ws`. */
export const ws: readonly Member[] = [
  echo("ws-one", "64 B, 1 in flight x 50", one, { bar: 1 }),
  echo("ws-deep", "64 B, 64 deep x 50", deep, { bar: 0.25 }),
  echo("ws-deflate", "477 B of JSON deflated, 16 deep x 50", json, { bar: 0.2, deflate: true }),
  echo("ws-takeover", "477 B of JSON deflated with context takeover, 16 deep x 50", json, {
    bar: 0.2,
    deflate: "takeover",
  }),
  echo("ws-16k", "16 KiB, 4 deep x 16", { size: 16 * kibibyte, depth: 4, connections: 16 }, { bar: 0.6 }),
  echo("ws-1m", "1 MiB, 1 in flight x 4", { size: 1024 * kibibyte, depth: 1, connections: 4 }),
  {
    key: "ws-broadcast",
    title: "serval/ws: broadcast of 128 B by a loop over 1,000 clients",
    unit: "delivery",
    metric: "cpu",
    server: { mode: "broadcast", program },
    peers,
    kind: "broadcast",
    connections: 1000,
    size: 128,
    each: 1,
    bar: 0.9,
  },
  {
    key: "ws-open-close",
    title: "serval/ws: open, upgrade, close handshake",
    unit: "connection",
    metric: "cpu",
    ...common,
    kind: "churn",
    end: "handshake",
  },
  {
    key: "ws-idle",
    title: "serval/ws: 10,000 idle connections",
    unit: "connection",
    metric: "connection",
    ...common,
    kind: "idle",
    connections: 10_000,
  },
  echo("ws-socket-io", "a Socket.IO event of 64 B, 1 in flight x 50", event, { bar: 0.9, mode: "socketIo" }),
  echo("ws-socket-io-deep", "a Socket.IO event of 64 B, 16 deep x 50", { ...event, depth: 16 }, { mode: "socketIo" }),
];
