import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Outgoing } from "../../../src/cli/connect/outgoing.ts";
import { RoundTrips } from "../../../src/cli/shared/round-trips.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

/** A stream that has sent so many messages, and takes every write. */
function start(sent: number, given: number) {
  const ws = { write: async () => {}, ping: async () => {}, stats: () => ({ messagesSent: sent }) };
  const outgoing = new Outgoing(ws as unknown as ConstructorParameters<typeof Outgoing>[0]);
  for (let i = 0; i < given; i++) void outgoing.write("a line");
  return outgoing;
}

describe("Outgoing", () => {
  it("names the first message that was not sent", async () => {
    const clock = new VirtualClock();
    assert.equal(await start(2, 5).firstLost(Promise.resolve(), clock), 3);
    assert.equal(await start(0, 1).firstLost(Promise.reject(new Error("closed")), clock), 1);
    assert.equal(await start(5, 5).firstLost(Promise.resolve(), clock), undefined);
    assert.equal(clock.pending, 0);
  });

  it("looks for input that may be there already, but waits for no other", async () => {
    const clock = new VirtualClock();
    const outgoing = start(1, 1);
    const found = outgoing.firstLost(new Promise(() => {}), clock);
    void outgoing.write("it was in the pipe");
    await clock.advance(100);
    assert.equal(await found, 2);
    const none = start(1, 1).firstLost(new Promise(() => {}), clock);
    await clock.advance(100);
    assert.equal(await none, undefined);
  });

  it("names the first message before which a ping has no answer, if the server answers pings", async () => {
    const clock = new VirtualClock();
    const trips = new RoundTrips(clock);
    const [wire, pings]: [string[], string[]] = [[], []];
    const ws = {
      write: async (line: string) => void wire.push(line),
      ping: async (payload: string) => {
        wire.push("ping");
        pings.push(payload);
      },
      stats: () => ({ messagesSent: 100 }),
    };
    const outgoing = new Outgoing(ws as unknown as ConstructorParameters<typeof Outgoing>[0], trips);
    for (let i = 1; i <= 3; i++) void outgoing.write(`${i}`);
    assert.deepEqual(wire, ["ping", "1", "ping", "2", "ping", "3"]);
    // It may answer none at all.
    assert.equal(await outgoing.firstLost(Promise.resolve(), clock), undefined);
    trips.control(undefined, "pong", Buffer.from(pings[1]!));
    assert.equal(await outgoing.firstLost(Promise.resolve(), clock), 3);
    trips.control(undefined, "pong", Buffer.from(pings[2]!));
    assert.equal(await outgoing.firstLost(Promise.resolve(), clock), undefined);
    // Many lines have few pings.
    for (let i = 0; i < 90; i++) void outgoing.write("x");
    assert.equal(pings.length, 3 + 16);
  });
});
