import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { answered, sendPiped, type Answering } from "../../../src/cli/connect/piped-input.ts";
import type { Outgoing } from "../../../src/cli/connect/outgoing.ts";
import { Quiet } from "../../../src/cli/shared/quiet.ts";
import { RoundTrips } from "../../../src/cli/shared/round-trips.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { until } from "../../core/support/stream-operations.ts";

function start(stdin: Readable, { binary = false, wait = 100 } = {}) {
  const clock = new VirtualClock();
  const quiet = new Quiet(clock);
  const trips = new RoundTrips(clock);
  const sent: unknown[] = [];
  const pings: string[] = [];
  const ws = {
    async write(data: string | AsyncIterable<Uint8Array>) {
      if (typeof data === "string") sent.push(data);
      else for await (const part of data) sent.push(part);
    },
    ping: async (payload: string) => void pings.push(payload),
  } as unknown as Answering["ws"] & Pick<Outgoing, "write">;
  const state = { isDone: false };
  const done = sendPiped(ws, stdin, binary)
    .then(() => answered({ ws, trips, quiet, wait, patience: 30_000 }))
    .then(() => (state.isDone = true));
  const pong = (): void => trips.control(undefined, "pong", Buffer.from(pings[0]!));
  return { clock, quiet, sent, pings, state, done, pong };
}

describe("sendPiped", () => {
  it("sends lines, then waits for a pong and for silence", async () => {
    const { clock, quiet, sent, pings, state, done, pong } = start(Readable.from(["one\ntw", "o"]));
    await until(() => pings.length === 1);
    assert.deepEqual(sent, ["one", "two"]);
    await clock.advance(5000);
    pong();
    await clock.advance(99);
    quiet.busy();
    quiet.idle();
    await clock.advance(99);
    assert.equal(state.isDone, false);
    await clock.advance(1);
    await done;
    assert.equal(clock.pending, 0);
  });

  it("does not wait forever for a pong", async () => {
    const { clock, pings, state, done } = start(Readable.from([]));
    await until(() => pings.length === 1);
    await clock.advance(30_099);
    assert.equal(state.isDone, false);
    await clock.advance(1);
    await done;
  });

  it("returns right after the input if there is no end to wait for", async () => {
    const { sent, pings, done } = start(Readable.from(["a"]), { wait: Infinity });
    await done;
    assert.deepEqual([sent, pings], [["a"], []]);
  });

  it("sends the input as one message with --binary, and no message for empty input", async () => {
    const parts = [Buffer.from([0, 10]), Buffer.from([255])];
    const { sent, done } = start(Readable.from(parts), { binary: true, wait: Infinity });
    await done;
    assert.deepEqual(sent, parts);
    const nothing = start(Readable.from([]), { binary: true, wait: Infinity });
    await nothing.done;
    assert.deepEqual(nothing.sent, []);
  });

  it("rejects with the failure of the input", async () => {
    const stdin = new Readable({ read() {} });
    const { done } = start(stdin);
    stdin.destroy(new Error("EIO"));
    await assert.rejects(done, /EIO/);
  });
});
