import { fork } from "node:child_process";
import { once } from "node:events";
import { Client, type Load } from "./load.ts";
import { median, spread } from "./statistics.ts";

const streams = 1000;

/** How much resident memory streams add with permessage-deflate agreed on in the default way, and without. */
export async function memory(runs: number): Promise<void> {
  console.log(
    `\n${streams} open streams, each of which has echoed one message: MB of resident memory, median of ${runs} servers`,
  );
  const without: number[] = [];
  const with_: number[] = [];
  for (let run = 0; run < runs; run++) {
    without.push(await added(false));
    with_.push(await added(true));
  }
  console.log(`  without deflate ${spread(without)}`);
  console.log(`  with deflate    ${spread(with_)}`);
  console.log(`  deflate adds    ${(median(with_) - median(without)).toFixed(1)} (bar: less than 2)`);
}

/** What the streams add to a server that has seen some before, so that what is made once is there. */
async function added(deflate: boolean): Promise<number> {
  const child = fork(new URL("contender.js", import.meta.url), ["serval", ...(deflate ? ["deflate"] : [])], {
    execArgv: ["--expose-gc"],
  });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const resident = async (): Promise<number> => {
    child.send("resident");
    const [{ resident }] = (await once(child, "message")) as [{ resident: number }];
    return resident / 1e6;
  };
  const echo = async (load: Load): Promise<Client> => {
    const client = await Client.connect(port, load);
    await client.echo(load);
    return client;
  };
  const load = { size: 477, depth: 1, connections: streams / 2, messages: 5 * streams, deflate };
  (await echo(load)).close();
  const before = await resident();
  const client = await echo({ ...load, connections: streams, messages: streams });
  const after = await resident();
  client.close();
  child.disconnect();
  return after - before;
}
