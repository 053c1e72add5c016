import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../../src/core/index.ts";
import { Request } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { quiet } from "../support/serving.ts";

describe("ServeSettings", () => {
  it("has the documented defaults", () => {
    const { timeouts, date, clock } = new ServeSettings({});
    assert.deepEqual(timeouts, { header: 30_000, body: 300_000, idle: 60_000, write: 60_000 });
    assert.deepEqual([date, clock], [true, systemClock]);
  });

  it("takes what it is given, timeouts one by one", () => {
    const clock = new VirtualClock();
    const settings = new ServeSettings({ timeouts: { idle: Infinity, body: undefined }, date: false, clock });
    assert.deepEqual(settings.timeouts, { header: 30_000, body: 300_000, idle: Infinity, write: 60_000 });
    assert.deepEqual([settings.date, settings.clock], [false, clock]);
  });

  it("tells of failures as it is asked to; on the console otherwise, and where that fails", (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const request = new Request();
    const told: unknown[] = [];
    new ServeSettings({ onError: (...given) => told.push(given) }).report("mine", request);
    assert.deepEqual([told, reported.mock.callCount()], [[["mine", request]], 0]);
    new ServeSettings({}).report("mine", request);
    const failing = (): never => {
      throw "its own";
    };
    new ServeSettings({ onError: failing }).report("mine", request);
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      ["mine", "its own"],
    );
  });

  it("takes what is done with a failure later for what it is: nothing of it ends the process", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    new ServeSettings({ onError: async () => Promise.reject("its own") }).report("mine", new Request());
    await quiet();
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      ["its own"],
    );
  });
});
