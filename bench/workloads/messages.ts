import {
  kibibyte,
  leastServers,
  servers,
  smallServers,
  type EchoLoad,
  type Member,
  type ServerMode,
} from "../workload.ts";

function echo(
  key: string,
  title: string,
  load: EchoLoad,
  { peers = servers, ...mode }: { peers?: readonly string[] } & Partial<ServerMode> = {},
): Member {
  const server: ServerMode = { mode: "echo", ...mode };
  return { key, title, unit: "message", metric: "cpu", server, peers, kind: "echo", load };
}

function broadcast(key: string, title: string, each: number): Member {
  const server: ServerMode = { mode: "broadcast" };
  const peers = ["ws", "net", "bun"];
  const load = { connections: 1000, size: 128, each };
  return { key, title, unit: "delivery", metric: "cpu", server, peers, kind: "broadcast", ...load };
}

const one: EchoLoad = { size: 64, depth: 1, connections: 50 };
const deep: EchoLoad = { size: 64, depth: 64, connections: 50 };
const large: EchoLoad = { size: 16 * kibibyte, depth: 4, connections: 16 };
/** The application asks for each message. Of the others only ours can be asked; they are measured with their events. */
const pulled = { mode: "pulled", peers: ["ws", "net"] } as const;

/** Messages as they are. */
export const messages: readonly Member[] = [
  echo("echo-one", "64 B, 1 in flight x 50", one, { peers: leastServers }),
  echo("echo-deep", "64 B, 64 deep x 50", deep, { peers: smallServers }),
  echo("pulled-one", "64 B pulled, 1 in flight x 50", one, pulled),
  echo("pulled-deep", "64 B pulled, 64 deep x 50", deep, pulled),
  echo("pulled-sent", "64 B pulled, replies not awaited, 64 deep x 50", deep, { ...pulled, mode: "pulledSent" }),
  echo("echo-512", "512 B, 16 deep x 50", { size: 512, depth: 16, connections: 50 }),
  echo("echo-16k", "16 KiB, 4 deep x 16", large),
  echo("echo-1m", "1 MiB, 1 in flight x 4", { size: 1024 * kibibyte, depth: 1, connections: 4 }),
  echo("text-one", "64 B of text, 1 in flight x 50", { ...one, text: true }),
  echo("text-deep", "64 B of text, 64 deep x 50", { ...deep, text: true }),
  echo("text-16k", "16 KiB of text, 4 deep x 16", { ...large, text: true }),
  echo("tls-one", "64 B over TLS, 1 in flight x 50", one, { tls: true }),
  echo("tls-deep", "64 B over TLS, 64 deep x 50", deep, { tls: true }),
  broadcast("broadcast", "broadcast of 128 B to 1,000", 1),
  broadcast("broadcast-eight", "broadcast of eight times 128 B to 1,000 in a turn", 8),
];
