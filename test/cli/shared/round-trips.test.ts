import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RoundTrips } from "../../../src/cli/shared/round-trips.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { isStuck } from "../../core/support/stream-operations.ts";

describe("RoundTrips", () => {
  const start = () => {
    const clock = new VirtualClock();
    const sent: string[] = [];
    const ping = async (payload: Uint8Array | string = ""): Promise<void> => void sent.push(String(payload));
    return { clock, sent, ws: { ping } as Parameters<RoundTrips["ping"]>[0], trips: new RoundTrips(clock) };
  };

  it("measures the time to the pong", async () => {
    const { clock, sent, ws, trips } = start();
    const trip = trips.ping(ws);
    await clock.advance(12);
    trips.control(undefined, "pong", Buffer.from(sent[0]!));
    assert.equal(await trip, 12);
  });

  it("ignores other pongs, and pings", async () => {
    const { sent, ws, trips } = start();
    const trip = trips.ping(ws);
    trips.control(undefined, "ping", Buffer.from(sent[0]!));
    trips.control(undefined, "pong", Buffer.from("elsewhere"));
    trips.control(undefined, "pong", Buffer.from("7"));
    assert.ok(await isStuck(trip));
  });

  it("takes a pong as the answer to earlier pings too", async () => {
    const { clock, sent, ws, trips } = start();
    const first = trips.ping(ws);
    await clock.advance(5);
    const second = trips.ping(ws);
    await clock.advance(5);
    trips.control(undefined, "pong", Buffer.from(sent[1]!));
    assert.deepEqual(await Promise.all([first, second]), [10, 5]);
  });
});
