import assert from "node:assert/strict";
import { test } from "node:test";
import { Response } from "../../src/http/index.ts";
import { Refusals, tooMany, tooManyFromAddress } from "../../src/server/refuse.ts";
import { everyFailure, pair, VirtualClock } from "../../src/testing/index.ts";
import { quiet } from "../support/quiet.ts";
import { WebSocketPeer } from "../websocket/support/kit.ts";

test("the response is sent, the write side ended, and the stream closed when the client has ended", async () => {
  const clock = new VirtualClock();
  const [stream, other] = pair();
  const peer = new WebSocketPeer(other);
  void peer.write(new Uint8Array(10_000));
  new Refusals(clock, Infinity).refuse(stream, new Response({ status: 403, body: "no" }));
  await quiet();
  assert.deepEqual([peer.response?.status, peer.response?.body], [403, "no"]);
  assert.equal(peer.response?.headers.get("Connection"), "close");
  assert.deepEqual([stream.ended, stream.closed], [true, false]);
  other.end();
  await quiet();
  assert.deepEqual([stream.closed, clock.pending], [true, 0]);
});

for (const [what, options] of [
  ["does not read", { capacity: 10 }],
  ["does not end", {}],
] as const) {
  test(`a client that ${what} has two seconds for it`, async () => {
    const clock = new VirtualClock();
    const [stream, other] = pair({}, options);
    if (what === "does not end") new WebSocketPeer(other);
    new Refusals(clock, Infinity).refuse(stream, tooMany());
    await clock.advance(1999);
    assert.equal(stream.closed, false);
    await clock.advance(1);
    assert.deepEqual([stream.closed, clock.pending], [true, 0]);
  });
}

test("whatever fails below, the stream is closed", async () => {
  const runs = await everyFailure(async (run) => {
    const [stream, other] = run.pair();
    new WebSocketPeer(other);
    new Refusals(run.clock, Infinity).refuse(stream, tooMany());
    // The run's clock advances meanwhile.
    for (let turns = 0; turns < 1000 && !stream.closed; turns++) await quiet();
    assert.ok(stream.closed);
  });
  assert.ok(runs.length > 10, runs.join());
});

test("if the stream is written to elsewhere, it is closed", async () => {
  const clock = new VirtualClock();
  const [stream] = pair({}, { capacity: 1 });
  stream.writeSome(new Uint8Array(10), () => {});
  new Refusals(clock, Infinity).refuse(stream, tooMany());
  await quiet();
  assert.deepEqual([stream.closed, clock.pending], [true, 0]);
});

for (const [maxConnections, most] of [
  [Infinity, 1000],
  [100_000, 1000],
  [5_000, 500],
  [1, 250],
] as const) {
  test(`of ${maxConnections} connections ${most} more may be ending; others are closed without a response, until there is room`, async () => {
    const clock = new VirtualClock();
    const refusals = new Refusals(clock, maxConnections);
    const streams = Array.from({ length: most + 1 }, () => pair()[0]);
    for (const stream of streams) refusals.refuse(stream, tooManyFromAddress());
    assert.deepEqual(
      streams.map(({ closed }) => closed),
      streams.map((_, i) => i === most),
    );
    await clock.advance(2000);
    assert.ok(streams.every(({ closed }) => closed));
    const [late] = pair();
    refusals.refuse(late, tooMany());
    assert.equal(late.closed, false);
    await clock.advance(2000);
    assert.equal(clock.pending, 0);
  });
}

test("a connection over the limit is told to come back", () => {
  assert.deepEqual([tooMany().status, tooMany().headers.get("Retry-After")], [503, "10"]);
  assert.deepEqual([tooManyFromAddress().status, tooManyFromAddress().headers.get("Retry-After")], [429, "10"]);
});
