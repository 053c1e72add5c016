import type { Member, Workload } from "./workload.ts";
import { client } from "./workloads/client.ts";
import { connections } from "./workloads/connections.ts";
import { deflate } from "./workloads/deflate.ts";
import { floods } from "./workloads/floods.ts";
import { http } from "./workloads/http.ts";
import { messages } from "./workloads/messages.ts";
import { ws } from "./workloads/ws.ts";

const groups: Readonly<Record<string, readonly Member[]>> = {
  messages,
  deflate,
  connections,
  http,
  client,
  floods,
  ws,
};

/** All of them, in the order of the table. */
export const workloads: readonly Workload[] = Object.entries(groups).flatMap(([group, members]) =>
  members.map((member) => ({ ...member, group })),
);

const quickKeys: ReadonlySet<string> = new Set([
  "echo-one",
  "echo-deep",
  "echo-16k",
  "pulled-one",
  "broadcast",
  "deflate-one",
  "deflate-deep",
  "open-reset",
  "open-close",
  "idle",
  "get",
  "get-fetch",
  "json",
  "client-one",
  "client-close",
]);

/** One or more of each group but the floods, for two minutes. */
export const firstLook: readonly Workload[] = workloads.filter(({ key }) => quickKeys.has(key));
