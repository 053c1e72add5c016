import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { Response } from "../../src/http/index.ts";
import type { ChannelMessages } from "../../src/server/index.ts";
import { text } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { requestOf } from "../websocket/support/requests.ts";
import { connect, hubOf, leave, opened } from "./support/kit.ts";

type Name = keyof ChannelMessages;

const names: readonly Name[] = [
  "serval:handshake",
  "serval:open",
  "serval:message",
  "serval:close",
  "serval:refusal",
  "serval:backpressure",
];

/** Listens to all channels for the time of `run`. */
async function listening(
  heard: <Each extends Name>(name: Each, message: ChannelMessages[Each]) => void,
  run: () => Promise<void>,
): Promise<void> {
  const listeners = names.map(
    (name) =>
      (message: unknown): void =>
        heard(name, message as ChannelMessages[Name]),
  );
  names.forEach((name, i) => subscribe(name, listeners[i]!));
  try {
    await run();
  } finally {
    names.forEach((name, i) => unsubscribe(name, listeners[i]!));
  }
}

/** What is heard, as short as can be. */
function recorder(): { heard: [Name, Record<string, unknown>][]; hear: Parameters<typeof listening>[0] } {
  const heard: [Name, Record<string, unknown>][] = [];
  return { heard, hear: (name, message) => void heard.push([name, { ...message }]) };
}

test("the life of a connection, in order", async () => {
  const order: string[] = [];
  const { hub } = hubOf({
    highWaterMark: 5,
    open: () => void order.push("open"),
    message: (ws, message) => {
      order.push("message");
      ws.send(message);
    },
    close: () => void order.push("close"),
  });
  const { heard, hear } = recorder();
  await listening(
    (name, message) => {
      order.push(name);
      hear(name, message);
    },
    async () => {
      const one = await opened(hub);
      await one.peer.write(text("hello"));
      await quiet();
      void one.ws.close({ code: 4000, reason: "done" });
      await leave(one);
      for (const [, { ws }] of heard) assert.equal(ws, one.ws);
      assert.equal(heard[0]![1]["request"], one.ws.request);
    },
  );
  assert.deepEqual(order, [
    "serval:handshake",
    "serval:open",
    "open",
    "serval:message",
    "message",
    "serval:backpressure",
    "serval:close",
    "close",
  ]);
  assert.equal(heard[2]![1]["message"], "hello");
  assert.ok((heard[3]![1]["bufferedAmount"] as number) >= 5);
  const { code, reason, clean } = heard[4]![1];
  assert.deepEqual([code, reason, clean], [1000, "", true]);
});

test("refusals, with what is known at that point", async () => {
  const { heard, hear } = recorder();
  const failure = new Error("mine");
  const client = { address: "192.0.2.1" };
  await listening(hear, async () => {
    const early = hubOf({ maxConnectionsPerAddress: 1 }).hub;
    const request = requestOf({ Origin: "https://evil.example" });
    early.refusal(request, client);
    early.enter(client);
    early.enter(client, request);
    await opened(hubOf({ upgrade: () => new Response({ status: 401 }) }).hub, { client });
    const upgrade = (): never => {
      throw failure;
    };
    await opened(hubOf({ upgrade, error: () => {} }).hub);
    await opened(hubOf().hub, { headers: { "Sec-WebSocket-Version": "8" } });
    assert.deepEqual(heard[0]![1], { reason: "origins", peer: client, request, ws: undefined, error: undefined });
    assert.equal(heard[1]![1]["request"], request);
  });
  assert.deepEqual(
    heard.map(([name, { reason, peer, ws, error }]) =>
      name === "serval:refusal"
        ? [reason, peer, ws !== undefined, (error as { code: string } | undefined)?.code]
        : name,
    ),
    [
      ["origins", client, false, undefined],
      ["maxConnectionsPerAddress", client, false, undefined],
      "serval:handshake",
      ["declined", client, true, "websocket.upgrade_declined"],
      "serval:handshake",
      ["failed", undefined, true, "websocket.handler_failed"],
      "serval:handshake",
      ["malformed", undefined, true, "websocket.bad_sec_version"],
    ],
  );
});

test("a client that leaves in its handshake is neither opened nor refused", async () => {
  const { heard, hear } = recorder();
  await listening(hear, async () => {
    const { ws } = connect(hubOf({ upgrade: () => new Promise<void>(() => {}) }).hub);
    ws.terminate();
    await quiet();
  });
  assert.deepEqual(
    heard.map(([name]) => name),
    ["serval:handshake"],
  );
});

test("a slow client is reported once, until it has caught up", async () => {
  const { heard, hear } = recorder();
  const { hub } = hubOf({ highWaterMark: 1000 });
  await listening(hear, async () => {
    const { ws, peer } = await opened(hub, { capacity: 200 });
    peer.pause();
    for (let i = 0; i < 10; i++) ws.send(new Uint8Array(500));
    await quiet();
    peer.resume();
    await quiet();
    assert.equal(ws.bufferedAmount, 0);
    ws.send(new Uint8Array(1000));
    await quiet();
  });
  assert.equal(heard.filter(([name]) => name === "serval:backpressure").length, 2);
});

test("without subscribers no messages are made", async () => {
  // What is asked of a socket for a channel alone: how much waits.
  const { hub } = hubOf();
  const { ws } = await opened(hub);
  let asked = 0;
  const watched = Object.create(ws, { bufferedAmount: { get: () => asked++ } }) as typeof ws;
  hub.backpressure(watched);
  assert.equal(asked, 0);
  await listening(
    () => {},
    async () => hub.backpressure(watched),
  );
  assert.equal(asked, 1);
});

test("a subscriber that throws does not harm the connection, and Node.js makes an uncaught exception of it", async () => {
  const caught: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => caught.push(error));
  const failure = new Error("mine");
  const { hub, clock } = hubOf({ highWaterMark: 5, message: (ws, message) => void ws.send(message) });
  try {
    await listening(
      () => {
        throw failure;
      },
      async () => {
        const one = await opened(hub);
        await one.peer.write(text("hello"));
        await quiet();
        void one.ws.close();
        await leave(one);
        assert.deepEqual(one.peer.frames, ["text hello", "close 1000"]);
      },
    );
    await quiet();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  assert.deepEqual(
    caught,
    Array.from({ length: 5 }, () => failure),
  );
  const { closed, errors } = hub.statistics();
  assert.deepEqual([closed, errors, clock.pending], [{ 1000: 1 }, {}, 0]);
});
