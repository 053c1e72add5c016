import { kibibyte, type EchoLoad, type Member, type ServerMode } from "../workload.ts";

const peers = ["ws", "undici"];
const one: EchoLoad = { size: 64, depth: 1, connections: 50 };

function echo(key: string, title: string, load: EchoLoad, mode: Partial<ServerMode> = {}, than = peers): Member {
  const server: ServerMode = { mode: "client", ...mode };
  const named = { key, title: `${title}, as the client` };
  return { ...named, unit: "message", metric: "cpu", server, peers: than, kind: "client", load };
}

/** The process under test is the client. */
export const client: readonly Member[] = [
  echo("client-one", "64 B, 1 in flight x 50", one),
  echo("client-deep", "64 B, 64 deep x 50", { ...one, depth: 64 }),
  echo("client-16k", "16 KiB, 4 deep x 16", { size: 16 * kibibyte, depth: 4, connections: 16 }),
  // undici sends everything as it is.
  echo(
    "client-deflate",
    "477 B of JSON deflated, 1 in flight x 50",
    { ...one, size: 477, text: true },
    { deflate: true },
    ["ws"],
  ),
  {
    ...echo("client-close", "connect, close handshake: 50 at once", one, { mode: "clientClose" }),
    unit: "connection",
  },
  {
    key: "client-idle",
    title: "10,000 idle connections, as the client",
    unit: "connection",
    metric: "connection",
    server: { mode: "clientIdle" },
    peers,
    kind: "clientIdle",
    connections: 10_000,
  },
  {
    ...echo("client-get", "GET kept alive x 50", one, { mode: "request" }, ["node:http", "undici"]),
    unit: "request",
  },
];
