// Connections that are reset, at each step of their lives.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { Client, closeFrame, final, frame, opcodes, openMany, upgradeRequest } from "./client.ts";
import type { Setup } from "./setup.ts";
import { Target } from "./target.ts";

const proxyHeader = "PROXY TCP4 192.0.2.1 127.0.0.1 40000 80\r\n";
const request = upgradeRequest();

/** How a connection begins: with a socket for the requests, and the one below it that is reset. */
export type Begin = (target: Target) => Promise<{ client: Client; below: Socket }>;

const raw = (target: Target): Socket => connect({ port: target.port, host: "127.0.0.1", noDelay: true });

export const plain: Begin = async (target) => {
  const below = raw(target);
  const client = new Client(below);
  await new Promise((resolve) => below.once("connect", resolve));
  return { client, below };
};

export const proxied: Begin = async (target) => {
  const begun = await plain(target);
  begun.client.send(proxyHeader);
  return begun;
};

export const overTls: Begin = async (target) => {
  const below = raw(target);
  below.on("error", () => {});
  const socket = connectTls({ socket: below, rejectUnauthorized: false });
  const client = new Client(socket);
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return { client, below };
};

/** What is done before the reset. Where a whole request was answered, the connection was opened. */
export const steps: Readonly<Record<string, (client: Client) => Promise<void> | void>> = {
  "after connecting": () => {},
  "in the request line": (client) => client.send(request.slice(0, 7)),
  "in the head": (client) => client.send(request.slice(0, 60)),
  "behind the head, before the answer": (client) => client.send(request),
  "after 101": (client) => opened(client),
  "in a frame": async (client) => {
    await opened(client);
    client.send(frame(final | opcodes.text, "x".repeat(1000)).subarray(0, 500));
  },
  "behind a message": async (client) => {
    await opened(client);
    client.text("x".repeat(100_000));
  },
  "in the close frame": async (client) => {
    await opened(client);
    client.send(closeFrame(1000).subarray(0, 7));
  },
  "behind the close frame": async (client) => {
    await opened(client);
    client.send(closeFrame(1000));
  },
};

async function opened(client: Client): Promise<void> {
  client.send(request);
  assert.equal(await client.status, 101);
}

/** Resets a connection, once what was written before is out. */
export async function reset({ client, below }: { client: Client; below: Socket }): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  below.resetAndDestroy();
  await client.ended;
}

/** How connections are reset. */
export interface Resets {
  readonly setup: Partial<Setup>;
  readonly begin: Begin;
  /** What has come of what stands before the requests, when they are reset before these. */
  readonly beginnings: readonly (string | Buffer)[];
  /** How many at each step. */
  readonly count: number;
}

/** Resets connections at each step; nothing of them is left behind, and the next one is served. */
export async function resetAll(t: TestContext, { setup, begin, beginnings, count }: Resets): Promise<void> {
  const target = await Target.start(t, { kind: "echo", counts: true, ...setup });
  const { handles, timers } = await target.ask("health");
  let made = 0;
  const resetAt = async (begin: Begin, step: (client: Client) => Promise<void> | void): Promise<void> => {
    await openMany(count, async () => {
      const begun = await begin(target);
      await step(begun.client);
      await reset(begun);
    });
    made += count;
    await target.until(({ accepted, connections }) => accepted === made && connections === 0);
  };
  for (const bytes of beginnings) await resetAt(plain, (client) => client.send(bytes));
  for (const step of Object.values(steps)) await resetAt(begin, step);

  // They do not wait for the application, which decides about some of them.
  await openMany(count, async () => {
    const begun = await begin(target);
    begun.client.send(upgradeRequest({ path: "/held" }));
    await reset(begun);
  });
  made += count;
  await target.until(({ accepted, connections }) => accepted === made && connections === 0);
  const held = await target.ask("release");
  t.diagnostic(`${held} were held`);

  const { client: still } = await begin(target);
  await opened(still);
  still.text("still there?");
  assert.equal(await still.next(), "still there?");
  await still.close();
  const { sockets, opened: all, closed } = await target.until(({ connections }) => connections === 0);
  assert.equal(sockets, 0);
  assert.equal(
    Object.values(closed).reduce((sum, number) => sum + number),
    all,
  );
  await target.untilHealth((health) => health.handles === handles && health.timers === timers);
  await target.wasCalm(t);
}
