import { Client } from "./load.ts";
import { Server } from "./server.ts";
import { median, spread } from "./statistics.ts";

const connections = 10_000;

interface Memory {
  resident: number;
  heap: number;
}

/** How much memory an open connection takes that does nothing. */
export async function memoryIdle(pairs: number): Promise<void> {
  console.log(`\n${connections} idle connections: KB of resident memory for each, median of ${pairs} servers`);
  const names = ["serval", "ws", "net"];
  const costs = names.map((): Memory[] => []);
  for (let pair = 0; pair < pairs; pair++) {
    for (const [i, name] of names.entries()) costs[i]!.push(await added(name));
  }
  for (const [i, name] of names.entries()) {
    const resident = spread(costs[i]!.map((cost) => cost.resident));
    const heap = spread(costs[i]!.map((cost) => cost.heap));
    console.log(`  ${name.padEnd(8)}${resident}${i === 0 ? ", bar: 5.2" : ""}   in the heap and beside it ${heap}`);
  }
  const ratios = costs[0]!.map(({ resident }, i) => resident / costs[1]![i]!.resident);
  console.log(`  ratio to ws ${spread(ratios)}`);
  if (!Number.isFinite(median(ratios))) throw new Error("Nothing was measured");
}

/** What connections add to a server that has seen some before, so that what is made once is there. */
async function added(name: string): Promise<Memory> {
  const server = await Server.start(name, ["--expose-gc"]);
  const load = { size: 0, depth: 1, messages: 0 };
  (await Client.connect(server.port, { ...load, connections: connections / 10 })).close();
  const before = await server.ask<Memory>("resident");
  const client = await Client.connect(server.port, { ...load, connections });
  const after = await server.ask<Memory>("resident");
  client.close();
  server.stop();
  const each = (bytes: number): number => bytes / connections / 1000;
  return { resident: each(after.resident - before.resident), heap: each(after.heap - before.heap) };
}
