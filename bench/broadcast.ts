import { Client } from "./load.ts";
import { Server } from "./server.ts";
import { median, spread } from "./statistics.ts";

const subscribers = 1000;
const size = 128;
const messages = 96;

/** What it costs to send a message to many. Writing on the loopback does the kernel's work of receiving too: `net` is the floor. */
export async function broadcast(pairs: number): Promise<void> {
  console.log(`\nBroadcast of ${size} bytes to ${subscribers}: processor µs per delivery, median of ${pairs} pairs`);
  const names = ["serval broadcast", "ws broadcast", "net"];
  const servers = await Promise.all(names.map((name) => Server.start(name)));
  const load = { size: 0, depth: 1, messages: 0, connections: subscribers };
  const clients = await Promise.all(servers.map((server) => Client.connect(server.port, load)));
  for (const atOnce of [1, 8]) await broadcastSo(pairs, atOnce, names, servers, clients);
  for (const client of clients) client.close();
  for (const server of servers) server.stop();
}

/** So many messages in each turn of the event loop. */
async function broadcastSo(
  pairs: number,
  atOnce: number,
  names: readonly string[],
  servers: readonly Server[],
  clients: readonly Client[],
): Promise<void> {
  const measure = async (i: number): Promise<NodeJS.CpuUsage> => {
    // All frames have the same header, of four bytes.
    const all = clients[i]!.receive(messages * subscribers * (size + 4));
    const usage = await servers[i]!.ask<NodeJS.CpuUsage>({ rounds: messages / atOnce, atOnce, size });
    await all;
    return usage;
  };
  const costs = names.map((): NodeJS.CpuUsage[] => []);
  for (const i of names.keys()) await measure(i);
  for (let pair = 0; pair < pairs; pair++) {
    for (const i of names.keys()) costs[i]!.push(await measure(i));
  }
  console.log(`  ${atOnce} in each turn of the event loop`);
  const each = (micros: number): number => micros / messages / subscribers;
  for (const [i, name] of names.entries()) {
    const total = spread(costs[i]!.map(({ user, system }) => each(user + system)));
    const user = spread(costs[i]!.map((cost) => each(cost.user)));
    const system = spread(costs[i]!.map((cost) => each(cost.system)));
    console.log(`  ${name.padEnd(18)}${total}   user ${user}   system ${system}`);
  }
  const [ours, theirs] = costs as [NodeJS.CpuUsage[], NodeJS.CpuUsage[]];
  const ratios = ours.map((cost, i) => (cost.user + cost.system) / (theirs[i]!.user + theirs[i]!.system));
  console.log(`  ratio to ws ${spread(ratios)}, bar: at most 0.5`);
  if (!Number.isFinite(median(ratios))) throw new Error("Nothing was measured");
}
