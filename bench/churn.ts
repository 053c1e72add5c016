import { once } from "node:events";
import * as net from "node:net";
import { binaryFrame, closeFrame, request } from "./load.ts";
import { Server } from "./server.ts";
import { median, spread } from "./statistics.ts";

const connections = 5_000;
const atOnce = 32;
const size = 64;
const message = binaryFrame(size);

/** What it costs to open a connection, upgrade it, echo one message and close it in an orderly way. */
export async function churn(pairs: number): Promise<void> {
  console.log(`\nOpen, upgrade, echo, close: processor µs per connection of the server, median of ${pairs} pairs`);
  const names = ["serval", "ws"];
  const servers = await Promise.all(names.map((name) => Server.start(name)));
  const costs = names.map((): NodeJS.CpuUsage[] => []);
  // All that runs for a connection runs but once for each: it takes many to be compiled.
  for (let round = 0; round < 4; round++) for (const server of servers) await measure(server);
  for (let pair = 0; pair < pairs; pair++) {
    for (const [i, server] of servers.entries()) costs[i]!.push(await measure(server));
  }
  for (const server of servers) server.stop();
  for (const [i, name] of names.entries()) {
    const total = spread(costs[i]!.map(({ user, system }) => user + system));
    const user = spread(costs[i]!.map((cost) => cost.user));
    const system = spread(costs[i]!.map((cost) => cost.system));
    console.log(`  ${name.padEnd(8)}${total}   user ${user}   system ${system}`);
  }
  const [ours, theirs] = costs as [NodeJS.CpuUsage[], NodeJS.CpuUsage[]];
  const ratios = ours.map((cost, i) => (theirs[i]!.user + theirs[i]!.system) / (cost.user + cost.system));
  console.log(`  connections per processor second, ratio to ws ${spread(ratios)}, bar: at least 1.6`);
  if (!Number.isFinite(median(ratios))) throw new Error("Nothing was measured");
}

async function measure(server: Server): Promise<NodeJS.CpuUsage> {
  const before = await server.ask<NodeJS.CpuUsage>("cpu");
  let begun = 0;
  const some = async (): Promise<void> => {
    while (begun++ < connections) await connection(server.port);
  };
  await Promise.all(Array.from({ length: atOnce }, some));
  const after = await server.ask<NodeJS.CpuUsage>("cpu");
  const each = (kind: "user" | "system"): number => (after[kind] - before[kind]) / connections;
  return { user: each("user"), system: each("system") };
}

/** One connection, from its beginning to its end. */
async function connection(port: number): Promise<void> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  // What is to come before the next thing is sent: the response, the echo, the answer to the close frame.
  const replies = [Buffer.alloc(0), message, closeFrame];
  let received = 0;
  let left = Infinity;
  socket.write(request(port, false));
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (replies.length === 3 && chunk.subarray(-4).equals(Buffer.from("\r\n\r\n"))) left = received;
    if (received < left) return;
    replies.shift();
    if (replies.length === 0) return;
    // Its frames have no masking key.
    left = received + replies[0]!.length - 4;
    socket.write(replies[0]!);
  });
  await once(socket, "close");
  if (replies.length > 0) throw new Error("The connection ended before its time");
}
