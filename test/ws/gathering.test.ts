import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "node:test";
import { beginRead, endRead, flushLater, isFirstInTurn, type Gathering } from "../../src/ws/gathering.ts";

const output = (flush: () => void = () => {}): Gathering => ({ turn: -1, outer: undefined, flush });

describe("isFirstInTurn", () => {
  it("is true once a turn, for each output", async () => {
    const [one, other] = [output(), output()];
    assert.deepEqual([isFirstInTurn(one), isFirstInTurn(one), isFirstInTurn(other)], [true, false, true]);
    await turn();
    assert.deepEqual([isFirstInTurn(one), isFirstInTurn(one)], [true, false]);
  });
});

describe("flushLater", () => {
  it("flushes after the current call, in its async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const one = output(() => seen.push(storage.getStore()));
    storage.run("caller's", () => flushLater(one));
    assert.deepEqual(seen, []);
    await turn();
    assert.deepEqual(seen, ["caller's"]);
  });
});

describe("a read inside another", () => {
  it("is over before that", () => {
    const [outer, inner] = [output(), output()];
    beginRead(outer);
    beginRead(inner);
    assert.equal(inner.outer, outer);
    endRead(inner);
    assert.equal(inner.outer, undefined);
    endRead(outer);
  });
});
