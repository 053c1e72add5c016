import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import {
  Bystander,
  Client,
  compressed,
  final,
  frame,
  opcodes,
  openMany,
  times,
  upgradeRequest,
} from "./support/client.ts";
import { Target } from "./support/target.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** The most milliseconds of work in one turn of the event loop that a flood may cause: some times what it does on a quiet machine. */
const mostBlocked = 150;
const messages = times(10_000, frame(final | opcodes.text, "x"));
const pings = times(1_000, frame(final | opcodes.ping, "x".repeat(125)));

for (const count of [1, 50]) {
  test(`${count} that send messages as fast as they can are slowed down`, async (t) => {
    const target = await Target.start(t, { kind: "echo" });
    const bystander = await Bystander.start(target);
    const clients = await openMany(count, () => Client.open(target));
    for (const client of clients) client.ignore();
    for (const client of clients) client.flood(messages);
    const { messagesReceived } = await target.until(({ limits }) => limits.rate >= Math.max(3, count));
    for (const client of clients) client.stop();
    await bystander.stop();
    // As many as may come at once.
    assert.ok(messagesReceived >= 20_000, `${messagesReceived}`);
    // What fifty may send at once is work for a second or two, in turns of some milliseconds.
    await target.wasCalm(t, { mostBlocked });
    for (const client of clients) client.socket.destroy();
    await target.until(({ connections }) => connections === 0);
  });
}

const deflated = (bytes: Uint8Array): Buffer =>
  deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const extensions = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
for (const [name, payload] of [
  ["messages that inflate to a thousand times their size", deflated(Buffer.alloc(250_000))],
  ["messages that take long to compress again", deflated(Buffer.from(randomBytes(15_000).toString("base64")))],
  ["messages of a thousand streams of DEFLATE", Buffer.concat([times(1000, Buffer.of(3, 0)), deflated(Buffer.of(1))])],
] as const) {
  test(`five that send ${name} keep no other waiting`, async (t) => {
    const target = await Target.start(t, { kind: "echo", options: { deflate: true } });
    const bystander = await Bystander.start(target);
    const headers = { "Sec-WebSocket-Extensions": extensions };
    const clients = await openMany(5, () => Client.open(target, { headers }));
    const flood = times(50, frame(final | compressed | opcodes.binary, payload));
    for (const client of clients) client.ignore();
    for (const client of clients) client.flood(flood);
    await target.until(({ messagesReceived }) => messagesReceived > 1000);
    for (const client of clients) client.stop();
    await bystander.stop();
    await target.wasCalm(t, { mostBlocked });
    for (const client of clients) client.socket.destroy();
    await target.until(({ connections }) => connections === 0);
  });
}

test("one that exceeds its rate is closed with 1008, if the option says so", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { rate: { messages: 1000, exceeded: "close" } } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(50, () => Client.open(target));
  for (const client of clients) {
    client.onMessage = () => {};
    client.flood(messages);
  }
  // It goes on until it reads the close frame.
  for (const { ended } of clients) assert.equal((await ended).code, 1008);
  await bystander.stop();
  const { closed, limits } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([closed, limits.rate], [{ 1000: 1, 1008: 50 }, 50]);
  await target.wasCalm(t);
});

test("one that sends messages and reads none of their echoes is not read from either", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { rate: false } });
  const bystander = await Bystander.start(target);
  const deaf = await Client.open(target);
  deaf.socket.pause();
  const big = frame(final | opcodes.binary, Buffer.alloc(64 * KiB));
  deaf.flood(big);
  await target.until(({ bufferedAmount }) => bufferedAmount > 0);
  let before = -1;
  // Until the server has stopped reading, and the buffers of the system are full.
  await target.until(({ bytesReceived, bufferedAmount }) => {
    const hasStopped = bytesReceived - before < 64 * KiB && bufferedAmount > 0;
    before = bytesReceived;
    return hasStopped;
  });
  deaf.stop();
  await bystander.stop();
  const { bufferedAmount } = await target.ask("health");
  assert.ok(bufferedAmount < MiB, `${bufferedAmount}`);
  await target.wasCalm(t);
  deaf.socket.resetAndDestroy();
  await target.until(({ connections }) => connections === 0);
});

test("a flood of pings is answered up to the rate", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const bystander = await Bystander.start(target);
  const client = await Client.open(target);
  client.flood(pings);
  await target.until(({ limits }) => limits.rate >= 5);
  client.stop();
  await bystander.stop();
  assert.ok(client.pongs >= 1000, `${client.pongs} pongs`);
  await target.wasCalm(t);
  client.socket.destroy();
  await target.until(({ connections }) => connections === 0);
});

test("a million pings of a client that never reads take no more memory than a few", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { rate: false } });
  const bystander = await Bystander.start(target);
  const deaf = await Client.open(target);
  deaf.socket.pause();
  deaf.flood(pings);
  // The pongs to all of them would be 127 MB, and as much as the system takes is a part of that.
  await target.until(({ bytesReceived }) => bytesReceived > 1_000_000 * (pings.length / 1000));
  deaf.stop();
  await bystander.stop();
  const { bufferedAmount } = await target.ask("health");
  assert.ok(bufferedAmount > 0 && bufferedAmount < MiB, `${bufferedAmount}`);
  await target.wasCalm(t, { mostMemory: 100 });
  deaf.socket.destroy();
  await target.until(({ connections }) => connections === 0);
});

for (const overflow of ["close", "drop", "wait"] as const) {
  test(`a subscriber that never reads costs the others nothing: overflow ${overflow}`, async (t) => {
    const [size, maxBufferedAmount] = [64 * KiB, 256 * KiB];
    const target = await Target.start(t, { kind: "topics", options: { overflow, maxBufferedAmount } });
    const bystander = await Bystander.start(target);
    const deaf = Client.connect(target);
    deaf.send(upgradeRequest({ path: "/topic?deaf" }));
    assert.equal(await deaf.status, 101);
    deaf.socket.pause();
    const subscribers = await openMany(100, () => Client.open(target, { path: "/topic" }));
    const next = subscribers.map(() => 1);
    for (const [i, client] of subscribers.entries()) {
      client.onMessage = (message) => {
        assert.equal(parseInt(message.toString("latin1", 0, 10), 10), next[i]);
        next[i]!++;
      };
    }
    const count = await target.ask("publish", { size, overflows: overflow === "close" ? 1 : 20 });
    await bystander.stop();
    await Promise.all(subscribers.map((client) => client.close()));
    assert.ok(next.every((number) => number === count + 1));
    const { limits, closed, messagesDropped } = await target.until(
      ({ opened, closed }) => opened - 101 === (closed[1000] ?? 0) - 100,
    );
    const { bufferedAmount } = await target.ask("health");
    assert.ok(bufferedAmount > maxBufferedAmount, `${bufferedAmount}`);
    assert.ok(bufferedAmount < maxBufferedAmount + MiB, `${bufferedAmount}`);
    if (overflow === "close") assert.deepEqual([limits.maxBufferedAmount, closed[1006]], [1, 1]);
    else {
      assert.ok(limits.maxBufferedAmount > 20, `${limits.maxBufferedAmount}`);
      assert.equal(messagesDropped, overflow === "drop" ? limits.maxBufferedAmount : 0);
    }
    await target.wasCalm(t);
    deaf.socket.resetAndDestroy();
    await target.until(({ connections }) => connections === 0);
  });
}
