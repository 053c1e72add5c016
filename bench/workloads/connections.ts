import { leastServers, smallServers, type Member } from "../workload.ts";

const opened = { unit: "connection", metric: "cpu", server: { mode: "echo" }, peers: leastServers } as const;

/** What a connection costs, whatever it is for. */
export const connections: readonly Member[] = [
  { key: "open-reset", title: "open, upgrade, reset", ...opened, kind: "churn", end: "reset" },
  { key: "open-close", title: "open, upgrade, close handshake", ...opened, kind: "churn", end: "handshake" },
  {
    key: "cold",
    title: "a cold server's first 5,000 connections",
    ...opened,
    peers: smallServers,
    kind: "cold",
    connections: 5000,
  },
  { key: "idle", title: "10,000 idle connections", ...opened, metric: "connection", kind: "idle", connections: 10_000 },
  {
    key: "accept",
    title: "accept in memory",
    unit: "connection",
    metric: "cpu",
    server: { mode: "accept" },
    peers: [],
    kind: "alone",
  },
];
