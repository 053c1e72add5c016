import type { FloodKind } from "./load/flood-forms.ts";
import type { Metric } from "./results.ts";

/** What a program of `programs/` is told to do. */
export interface ServerMode {
  readonly mode:
    | "echo"
    | "flooded"
    | "floodedSink"
    | "floodedParts"
    | "floodedHttp"
    | "broadcast"
    | "get"
    | "fetch"
    | "client"
    | "request";
  readonly deflate?: boolean;
  readonly tls?: boolean;
}

/** Messages to an echo server. */
export interface EchoLoad {
  /** Bytes of each message. */
  readonly size: number;
  /** Messages that each connection has in flight. */
  readonly depth: number;
  readonly connections: number;
  readonly text?: boolean;
}

interface Named {
  /** The name that `--only` and files know it by. */
  readonly key: string;
  /** What it is, for people. */
  readonly title: string;
  readonly unit: string;
  /** What contenders are compared by. */
  readonly metric: Metric;
  readonly server: ServerMode;
  readonly peers: readonly string[];
}

export type Workload = Named &
  (
    | { readonly kind: "echo"; readonly load: EchoLoad }
    | { readonly kind: "churn"; readonly end: "reset" | "handshake" }
    | { readonly kind: "cold"; readonly connections: number }
    | { readonly kind: "idle"; readonly connections: number }
    | { readonly kind: "broadcast"; readonly connections: number; readonly size: number }
    | { readonly kind: "get"; readonly connections: number }
    | { readonly kind: "flood"; readonly flood: FloodKind; readonly connections: number }
    | { readonly kind: "client"; readonly connections: number }
  );

const kibibyte = 1024;
const servers = ["ws", "bun", "deno"];
/** Those to which the bare socket is a floor: small messages, where the protocol is little of the work. */
const smallServers = ["ws", "net", "bun", "deno"];

function echo(
  key: string,
  title: string,
  load: EchoLoad,
  { peers = servers, ...mode }: { peers?: readonly string[]; deflate?: boolean; tls?: boolean } = {},
): Workload {
  const server: ServerMode = { mode: "echo", ...mode };
  return { key, title, unit: "message", metric: "cpu", server, peers, kind: "echo", load };
}

const one: EchoLoad = { size: 64, depth: 1, connections: 50 };
const deep: EchoLoad = { size: 64, depth: 64, connections: 50 };
const json: EchoLoad = { size: 477, depth: 1, connections: 50, text: true };
const http = { unit: "request", metric: "cpu", kind: "get", connections: 50 } as const;
const opened = { unit: "connection", metric: "cpu", server: { mode: "echo" }, peers: smallServers } as const;

/** A flood beside which an honest client is to be served as before; with its number of connections. */
function flood(
  kind: FloodKind,
  what: string,
  connections: number,
  {
    key = kind,
    peers = ["ws"],
    mode = "flooded",
    tls = false,
  }: Partial<{ key: string; peers: readonly string[]; mode: ServerMode["mode"]; tls: boolean }> = {},
): Workload {
  return {
    key: `floods-${key}`,
    title: `flood of ${what}${tls ? " over TLS" : ""} x ${connections}`,
    unit: "message",
    metric: "p99",
    server: mode === "floodedHttp" ? { mode } : { mode, deflate: true, tls },
    peers,
    kind: "flood",
    flood: kind,
    connections,
  };
}

/** The server answers texts alone, so that nothing but what comes is work. */
const sink = { mode: "floodedSink" } as const;
const overHttp = { peers: ["node:http"], mode: "floodedHttp" } as const;

/** All of them, in the order of the table. */
export const workloads: readonly Workload[] = [
  echo("echo-one", "64 B, 1 in flight x 50", one, { peers: smallServers }),
  echo("echo-deep", "64 B, 64 deep x 50", deep, { peers: smallServers }),
  echo("echo-512", "512 B, 16 deep x 50", { size: 512, depth: 16, connections: 50 }),
  echo("echo-16k", "16 KiB, 4 deep x 16", { size: 16 * kibibyte, depth: 4, connections: 16 }),
  echo("echo-1m", "1 MiB, 1 in flight x 4", { size: 1024 * kibibyte, depth: 1, connections: 4 }),
  echo("text-one", "64 B of text, 1 in flight x 50", { ...one, text: true }),
  echo("text-deep", "64 B of text, 64 deep x 50", { ...deep, text: true }),
  echo("text-16k", "16 KiB of text, 4 deep x 16", { size: 16 * kibibyte, depth: 4, connections: 16, text: true }),
  echo("tls-one", "64 B over TLS, 1 in flight x 50", one, { tls: true }),
  echo("tls-deep", "64 B over TLS, 64 deep x 50", deep, { tls: true }),
  echo("deflate-one", "477 B of JSON deflated, 1 in flight x 50", json, { deflate: true, peers: ["ws", "bun"] }),
  echo(
    "deflate-deep",
    "477 B of JSON deflated, 16 deep x 50",
    { ...json, depth: 16 },
    { deflate: true, peers: ["ws", "bun"] },
  ),
  {
    key: "broadcast",
    title: "broadcast of 128 B to 1,000",
    unit: "delivery",
    metric: "cpu",
    server: { mode: "broadcast" },
    peers: ["ws", "net", "bun"],
    kind: "broadcast",
    connections: 1000,
    size: 128,
  },
  { key: "open-reset", title: "open, upgrade, reset", ...opened, kind: "churn", end: "reset" },
  { key: "open-close", title: "open, upgrade, close handshake", ...opened, kind: "churn", end: "handshake" },
  { key: "cold", title: "a cold server's first 6,000 connections", ...opened, kind: "cold", connections: 6000 },
  { key: "idle", title: "10,000 idle connections", ...opened, metric: "connection", kind: "idle", connections: 10_000 },
  {
    key: "get",
    title: "GET kept alive x 50, http.serve",
    ...http,
    server: { mode: "get" },
    peers: ["node:http", "net"],
  },
  {
    key: "get-fetch",
    title: "GET kept alive x 50, fetch handler",
    ...http,
    server: { mode: "fetch" },
    peers: ["node:http", "hono", "bun", "deno"],
  },
  // ws takes minutes to reply to anyone else.
  flood("messages", "texts of 1 B", 50, { peers: [] }),
  // ws ends a connection with more than 60 pings unanswered.
  flood("pings", "pings of 125 B", 20, { peers: [] }),
  flood("inflate", "81 B that inflate to 60,000", 5, sink),
  flood("bombs", "267 B that inflate to 250,000", 1, { key: "bomb", ...sink }),
  flood("bombs", "267 B that inflate to 250,000", 5, sink),
  flood("bombs", "267 B that inflate to 250,000", 5, { key: "tls-bombs", ...sink, peers: [], tls: true }),
  flood("parts", "1 MiB deflated, read in parts", 5, { peers: [], mode: "floodedParts" }),
  flood("streams", "1,000 streams of DEFLATE in a message", 5, sink),
  flood("compressed", "30 KB of JSON deflated", 5),
  flood("long", "1 MiB", 50),
  flood("long", "1 MiB", 50, { key: "tls-long", peers: [], tls: true }),
  flood("texts", "texts of 16 MiB", 10),
  // node:http ends connections of its own accord.
  flood("requests", "pipelined requests", 5, { ...overHttp, peers: [] }),
  flood("chunks", "one-byte chunks", 5, overHttp),
  flood("chunks", "one-byte chunks", 300, { ...overHttp, key: "many-chunks" }),
  {
    key: "client",
    title: "64 B, 1 in flight x 50, as the client",
    unit: "message",
    metric: "cpu",
    server: { mode: "client" },
    peers: ["ws", "undici"],
    kind: "client",
    connections: 50,
  },
  {
    key: "client-get",
    title: "GET kept alive x 50, as the client",
    unit: "request",
    metric: "cpu",
    server: { mode: "request" },
    peers: ["node:http", "undici"],
    kind: "client",
    connections: 50,
  },
];
