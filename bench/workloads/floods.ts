import type { FloodKind } from "../load/flood-forms.ts";
import type { Member, ServerMode } from "../workload.ts";

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
): Member {
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

/** Peers that send as fast as they can, beside an honest one. */
export const floods: readonly Member[] = [
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
  // node:http keeps the others waiting for longer than the load does.
  flood("chunks", "one-byte chunks", 300, { ...overHttp, key: "many-chunks", peers: [] }),
];
