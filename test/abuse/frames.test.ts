import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import {
  Bystander,
  Client,
  closeFrame,
  compressed,
  final,
  frame,
  header,
  opcodes,
  openMany,
  times,
} from "./support/client.ts";
import { Target } from "./support/target.ts";

const MiB = 1024 * 1024;
const deflate = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } };

test("frames with impossible lengths are refused by their headers", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { deflate: true } });
  const bystander = await Bystander.start(target);
  const { text, binary, ping, close } = opcodes;
  const kinds: [first: number, length: bigint, code: number][] = [
    ...[text, binary, compressed | text, compressed | binary].flatMap((first): [number, bigint, number][] => [
      [final | first, 2n ** 62n, 1009],
      // RFC 6455 section 5.2: the most significant bit must be 0.
      [final | first, 2n ** 63n, 1002],
      [first, 2n ** 62n, 1009],
    ]),
    ...[ping, close].map((first): [number, bigint, number] => [final | first, 2n ** 62n, 1002]),
  ];
  const each = 20;
  for (const [first, length, code] of kinds) {
    const clients = await openMany(each, () => Client.open(target, deflate));
    for (const client of clients) client.send(header(first, length));
    for (const { ended } of clients) assert.deepEqual(await ended, { code, error: undefined });
  }
  await bystander.stop();
  const { limits, errors, closed } = await target.until(({ connections }) => connections === 0);
  const tooBig = kinds.filter(([, , code]) => code === 1009).length * each;
  assert.equal(limits.maxMessageSize, tooBig);
  assert.deepEqual(errors, {
    "websocket.message_too_big": tooBig,
    "websocket.bad_size": 4 * each,
    "websocket.bad_control_size": 2 * each,
  });
  assert.deepEqual(closed, { 1000: 1, 1002: 6 * each, 1009: tooBig });
  await target.wasCalm(t, { mostMemory: 100 });
});

test("an announced payload that does not arrive takes no memory", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const bystander = await Bystander.start(target);
  const clients = await openMany(1000, () => Client.open(target));
  // 16 GB in all.
  for (const client of clients) client.send(Buffer.concat([header(final | opcodes.binary, 16 * MiB), Buffer.alloc(1)]));
  await target.until(({ bytesReceived }) => bytesReceived >= 1000 * 15);
  await bystander.stop();
  await target.wasCalm(t);
  for (const client of clients) client.socket.destroy();
  await target.until(({ connections }) => connections === 0);
});

const fragments = [
  ["of one byte", frame(opcodes.continuation, "x")],
  ["that are empty", frame(opcodes.continuation)],
] as const;

for (const [kind, fragment] of fragments) {
  const million = Buffer.concat([
    frame(opcodes.text),
    times(1_000_000, fragment),
    frame(final | opcodes.continuation, "!"),
  ]);

  test(`a message in a million fragments ${kind} is refused`, async (t) => {
    const target = await Target.start(t, { kind: "echo" });
    const bystander = await Bystander.start(target);
    const clients = await openMany(10, () => Client.open(target));
    for (const client of clients) client.send(million);
    for (const { ended } of clients) assert.deepEqual(await ended, { code: 1008, error: undefined });
    await bystander.stop();
    const { limits, closed } = await target.until(({ connections }) => connections === 0);
    assert.deepEqual([limits.maxFragments, closed], [10, { 1000: 1, 1008: 10 }]);
    await target.wasCalm(t);
  });

  test(`if allowed, a million fragments ${kind} block nobody`, async (t) => {
    const target = await Target.start(t, { kind: "echo", options: { maxFragments: 2_000_000, rate: false } });
    const bystander = await Bystander.start(target);
    const client = await Client.open(target);
    client.send(million);
    assert.equal((await client.next()).length, kind === "of one byte" ? 1_000_001 : 1);
    await client.close();
    await bystander.stop();
    await target.wasCalm(t);
  });
}

test("a megabyte that inflates to a gigabyte counts as a gigabyte", async (t) => {
  // 16 MiB of zeros, over and over: each piece stands for itself.
  const piece = deflateRawSync(Buffer.alloc(16 * MiB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const bomb = times(64, piece).subarray(0, -4);
  assert.ok(bomb.length < 1.1 * MiB, `${bomb.length}`);
  for (const takeover of [false, true]) {
    const mode = { serverNoContextTakeover: !takeover, clientNoContextTakeover: !takeover };
    const target = await Target.start(t, { kind: "echo", options: { deflate: mode } });
    const bystander = await Bystander.start(target);
    const clients = await openMany(10, () => Client.open(target, deflate));
    for (const [i, client] of clients.entries())
      client.send(frame(final | compressed | (i % 2 === 0 ? opcodes.text : opcodes.binary), bomb));
    for (const { ended } of clients) assert.deepEqual(await ended, { code: 1009, error: undefined });
    await bystander.stop();
    const { limits, closed } = await target.until(({ connections }) => connections === 0);
    assert.deepEqual([limits.maxMessageSize, closed], [10, { 1000: 1, 1009: 10 }]);
    await target.wasCalm(t, { mostMemory: 400 });
  }
});

test("a frame that arrives byte by byte is received", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const bystander = await Bystander.start(target);
  const clients = await openMany(50, () => Client.open(target));
  const message = "byte by byte, é, €, 😀".repeat(10);
  const bytes = Buffer.concat([frame(final | opcodes.text, message), closeFrame(1000)]);
  for (const byte of bytes) {
    for (const client of clients) client.send(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  for (const client of clients) {
    assert.equal(await client.next(), message);
    assert.deepEqual(await client.ended, { code: 1000, error: undefined });
  }
  await bystander.stop();
  await target.wasCalm(t);
});
