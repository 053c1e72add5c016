import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Client } from "./load.ts";

const streams = 10_000;
const seconds = 20;

/** What open streams that do nothing cost: processor time of the server. */
export async function idle(): Promise<void> {
  const child = fork(new URL("contender.js", import.meta.url), ["serval"]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const client = await Client.connect(port, { connections: streams, size: 0, depth: 1, messages: 0 });
  const cpu = async (): Promise<number> => {
    child.send("cpu");
    const [{ user, system }] = (await once(child, "message")) as [NodeJS.CpuUsage];
    return (user + system) / 1000;
  };
  await setTimeout(3000);
  const before = await cpu();
  await setTimeout(seconds * 1000);
  const spent = (await cpu()) - before;
  console.log(`\n${streams} idle streams: ${spent.toFixed(1)} ms of processor time in ${seconds} s`);
  client.close();
  child.disconnect();
}
