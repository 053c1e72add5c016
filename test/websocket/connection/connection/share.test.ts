// A connection's share of a turn of the event loop, and what becomes of it while it waits for the next.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cost } from "../../../../src/core/internal.ts";
import { lookEvery, shareOfMember } from "../../../../src/core/turn-budget.ts";
import type { HandlersOf } from "../../../../src/websocket/options/handlers.ts";
import { quiet } from "../../../support/quiet.ts";
import { close, more, ping, text } from "../../support/frames.ts";
import { ManualReads } from "../../support/manual-reads.ts";

/** A connection that counts what it takes. */
class Reading extends ManualReads {
  messages = 0;
  pings = 0;

  /** With a handler that counts messages, unless there are other handlers. */
  constructor(handlers: HandlersOf<undefined> = { message: () => void this.messages++ }) {
    super({ control: () => void this.pings++, ...handlers });
  }

  static start(handlers?: HandlersOf<undefined>): Promise<Reading> {
    return new Reading(handlers).begin();
  }
}

/** As many messages as a share is worth, and some more since it is looked at seldom. */
const most = (shareOfMember + lookEvery) / (cost.frame + cost.message) + 16;
const flood = Array.from({ length: 2000 }, () => text("x"));

describe("a read that brings much", () => {
  it("is taken in several turns, and nothing more is read before it is", async () => {
    const state = await Reading.start();
    state.deliver(...flood);
    for (let turn = 1; state.messages < flood.length; turn++) {
      const before = state.messages;
      assert.ok(turn < 20 && before < turn * most, `${before} messages after ${turn} turns`);
      assert.equal(state.connection.isReading, false);
      const { turnsWaited, bytesUnread } = state.connection.statistics;
      assert.equal(turnsWaited, turn);
      assert.equal(bytesUnread, (flood.length - before) * flood[0]!.length);
      await quiet();
      assert.ok(state.messages > before);
    }
    assert.equal(state.connection.isReading, true);
    assert.equal(state.connection.statistics.bytesUnread, 0);
  });

  it("is taken in several turns also by a reader that pulls", async () => {
    const state = await Reading.start({});
    const read = (): void =>
      state.connection.read((error) => {
        assert.equal(error, undefined);
        state.messages++;
        read();
      });
    read();
    state.deliver(...flood);
    for (let turn = 1; state.messages < flood.length; turn++) {
      assert.ok(turn < 20 && state.messages < turn * most, `${state.messages} messages after ${turn} turns`);
      await quiet();
    }
  });

  it("keeps pings in their places", async () => {
    const state = await Reading.start();
    state.deliver(...flood, ping("a"));
    assert.equal(state.pings, 0);
    await quiet(20);
    assert.deepEqual([state.messages, state.pings], [flood.length, 1]);
  });

  it("is dropped if the connection ends meanwhile, and its data if it closes", async () => {
    for (const end of ["lost", "close"] as const) {
      const state = await Reading.start();
      state.deliver(...flood, close(1001));
      const { messages } = state;
      assert.ok(messages < most);
      if (end === "lost") state.connection.lost(state.connection.closedError());
      else state.connection.close(1000, "");
      await quiet(20);
      assert.equal(state.messages, messages);
      assert.equal(state.connection.statistics.bytesUnread, 0);
      if (end === "close") assert.equal(state.connection.protocol.closeCode, 1001);
    }
  });
});

describe("a text that takes longer than a turn", () => {
  it("is made a string in a turn of its own", async () => {
    const part = Buffer.from("ź".repeat(600_000));
    const states = [await Reading.start(), await Reading.start(), await Reading.start()];
    for (const state of states) {
      state.deliver(text(part, { fin: false }));
      await quiet();
    }
    for (const state of states) state.deliver(more("."));
    // The first at its read, each of the others in the next turn that has room.
    for (let turn = 1; turn <= states.length; turn++) {
      assert.equal(states.filter(({ messages }) => messages > 0).length, turn);
      await quiet();
    }
  });
});
