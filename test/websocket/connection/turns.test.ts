import assert from "node:assert/strict";
import { it } from "node:test";
import { Turns } from "../../../src/websocket/connection/turns.ts";
import { quiet } from "../../support/quiet.ts";

class Waiting extends Turns {
  turns = 0;

  get isHeld(): boolean {
    return this.isWaiting;
  }

  get waits(): number {
    return this.turnsWaited;
  }

  wait(): boolean {
    return this.waitTurn();
  }

  protected override turn(): void {
    this.turns++;
  }

  override onRead(): void {}
  override onWritten(): void {}
}

it("a connection that waits goes on in the next turn of the event loop, once for each time", async () => {
  const one = new Waiting();
  for (let waits = 1; waits < 4; waits++) {
    assert.equal(one.wait(), false);
    await undefined;
    assert.deepEqual([one.isHeld, one.turns, one.waits], [true, waits - 1, waits]);
    await quiet();
    assert.deepEqual([one.isHeld, one.turns, one.waits], [false, waits, waits]);
  }
});
