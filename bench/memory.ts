import { fork } from "node:child_process";
import { once } from "node:events";
import { Client } from "./load.ts";

const streams = 1000;

/** How much resident memory streams add with permessage-deflate agreed on in the default way, and without. */
export async function memory(): Promise<void> {
  console.log(`\n${streams} open streams, each of which has echoed one message: resident memory of the server`);
  const used: number[] = [];
  for (const deflate of [false, true]) {
    const child = fork(new URL("contender.js", import.meta.url), ["serval", ...(deflate ? ["deflate"] : [])], {
      execArgv: ["--expose-gc"],
    });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    const resident = async (): Promise<number> => {
      child.send("resident");
      return ((await once(child, "message")) as [number])[0] / 1e6;
    };
    // Once through everything, so that what is made once is there.
    const load = { size: 477, depth: 1, connections: 50, messages: 50 * 20, deflate };
    const warm = await Client.connect(port, load);
    await warm.echo(load);
    warm.close();
    const before = await resident();
    const all = { ...load, connections: streams, messages: streams };
    const client = await Client.connect(port, all);
    await client.echo(all);
    const after = await resident();
    used.push(after - before);
    console.log(`  ${deflate ? "with deflate   " : "without deflate"} ${(after - before).toFixed(1)} MB`);
    client.close();
    child.disconnect();
  }
  console.log(`  deflate adds    ${(used[1]! - used[0]!).toFixed(1)} MB (bar: less than 2 MB)`);
}
