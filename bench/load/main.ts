// The load generator, a process of its own: answers questions, lines of JSON both ways, and ends with its parent.
import { createInterface } from "node:readline";
import type { EchoLoad } from "../workload.ts";
import { churn, requests } from "./churn.ts";
import { EchoGroup } from "./echo.ts";
import { Flood, pulse } from "./flood.ts";
import type { FloodKind } from "./flood-forms.ts";
import { publishedFrames, type Deflate } from "./frames.ts";
import type { HttpForm } from "./http-forms.ts";
import { Receivers } from "./receivers.ts";
import { openMany, openWebSocket } from "./upgrade.ts";

/** The questions: a group of connections has a number. */
export interface Questions {
  openEcho: (details: { port: number; load: EchoLoad; deflate: Deflate; tls: boolean }) => Promise<{ group: number }>;
  openHttp: (details: {
    port: number;
    form: HttpForm;
    depth: number;
    connections: number;
  }) => Promise<{ group: number }>;
  openIdle: (details: { port: number; connections: number }) => Promise<{ group: number }>;
  openReceivers: (details: { port: number; connections: number }) => Promise<{ group: number }>;
  openFlood: (details: {
    port: number;
    connections: number;
    flood: FloodKind;
    tls?: boolean;
  }) => Promise<{ group: number }>;
  run: (details: { group: number; milliseconds: number }) => ReturnType<EchoGroup["run"]>;
  receive: (details: { group: number; bytes: number }) => ReturnType<Receivers["receive"]>;
  /** Compares so many first messages of a broadcast with what the programs publish. */
  checkReceived: (details: { group: number; messages: number; size: number }) => object;
  requests: (details: { port: number; form: HttpForm; milliseconds: number }) => ReturnType<typeof requests>;
  churn: (details: {
    port: number;
    end: "reset" | "handshake";
    milliseconds?: number;
    count?: number;
  }) => ReturnType<typeof churn>;
  pulse: (details: { port: number; milliseconds: number; isHttp: boolean; tls?: boolean }) => ReturnType<typeof pulse>;
  /** How many connections of a flood the server has ended. */
  ended: (details: { group: number }) => { ended: number };
  close: (details: { group: number }) => object;
}

const groups = new Map<number, { close(): void }>();
let lastGroup = 0;

function keep(group: { close(): void }): { group: number } {
  groups.set(++lastGroup, group);
  return { group: lastGroup };
}

const questions: Questions = {
  openEcho: async ({ port, load: { size, depth, connections, text = false, isEvent = false }, deflate, tls }) =>
    keep(await EchoGroup.openWebSockets(port, { size, text, deflate, isEvent }, { depth, connections, tls })),
  openHttp: async ({ port, form, ...how }) => keep(await EchoGroup.openHttp(port, form, how)),
  openIdle: async ({ port, connections }) => {
    const wires = await openMany(connections, () => openWebSocket(port));
    return keep({ close: () => wires.forEach((wire) => wire.reset()) });
  },
  openReceivers: async ({ port, connections }) =>
    keep(new Receivers(await openMany(connections, () => openWebSocket(port)))),
  openFlood: async ({ port, connections, flood, tls = false }) => {
    const group = await Flood.open(port, connections, flood, tls);
    group.start();
    return keep(group);
  },
  run: ({ group, milliseconds }) => (groups.get(group) as EchoGroup).run(milliseconds),
  receive: ({ group, bytes }) => (groups.get(group) as Receivers).receive(bytes),
  checkReceived: ({ group, messages, size }) => {
    (groups.get(group) as Receivers).check(publishedFrames(messages, size));
    return {};
  },
  requests: ({ port, form, milliseconds }) => requests(port, form, { milliseconds }),
  churn: ({ port, end, ...limits }) => churn(port, end, limits),
  pulse: ({ port, ...details }) => pulse(port, details),
  ended: ({ group }) => ({ ended: (groups.get(group) as Flood).ended }),
  close: ({ group }) => {
    groups.get(group)!.close();
    groups.delete(group);
    return {};
  },
};

async function answer(line: string): Promise<object> {
  const { question, ...details } = JSON.parse(line) as { question: keyof Questions };
  try {
    return await (questions[question] as (details: object) => Promise<object>)(details);
  } catch (error) {
    return { error: (error as Error).message };
  }
}

const say = (what: object): boolean => process.stdout.write(`${JSON.stringify(what)}\n`);

createInterface({ input: process.stdin })
  .on("line", (line) => void answer(line).then(say))
  .on("close", () => process.exit(0));
say({});
