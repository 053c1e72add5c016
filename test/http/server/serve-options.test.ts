import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../../src/core/index.ts";
import { Request, RequestParser, type ServeOptions } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { quiet } from "../../support/quiet.ts";

describe("ServeSettings", () => {
  it("and a parser's options can't mean no limit by mistake", () => {
    const misuse = (message: RegExp): object => ({ code: "core.invalid_argument", message });
    for (const name of ["maxBodySize", "maxChunkExtensionSize", "maxHeadersCount", "maxHeaderSize"]) {
      for (const value of [NaN, "1mb", -1, null, {}]) {
        assert.throws(() => new RequestParser({ [name]: value }), misuse(new RegExp(name)));
        assert.throws(() => new ServeSettings({ [name]: value } as ServeOptions), misuse(new RegExp(name)));
      }
    }
    assert.throws(() => new ServeSettings({ timeouts: { header: NaN } }), misuse(/timeouts.header/));
    assert.throws(() => new ServeSettings({ timeouts: { keepAlive: 0 } }), misuse(/timeouts.keepAlive .* above 0/));
    assert.throws(
      () => new ServeSettings({ timeouts: { head: 1 } as object }),
      misuse(/timeouts has no option "head": did you mean header/),
    );
    assert.throws(() => new ServeSettings({ limit: 1 } as ServeOptions), misuse(/no option "limit"/));
    assert.throws(
      () => new ServeSettings({ error: true } as unknown as ServeOptions),
      misuse(/error must be a function/),
    );
    for (const name of ["signal", "stop", "date", "clock"]) {
      const options = { [name]: null } as unknown as ServeOptions;
      assert.throws(() => new ServeSettings(options), misuse(new RegExp(`\\b${name} must be`)));
    }
    for (const value of [1, "a", null, []]) {
      assert.throws(() => new ServeSettings(value as ServeOptions), misuse(/http.serve takes a plain object/));
    }
  });

  it("has the documented defaults", () => {
    const { timeouts, date, clock } = new ServeSettings({});
    assert.deepEqual(timeouts, { header: 30_000, body: 300_000, keepAlive: 60_000, write: 60_000 });
    assert.deepEqual([date, clock], [true, systemClock]);
  });

  it("takes what it is given, timeouts one by one", () => {
    const clock = new VirtualClock();
    const settings = new ServeSettings({ timeouts: { keepAlive: Infinity, body: undefined }, date: false, clock });
    assert.deepEqual(settings.timeouts, { header: 30_000, body: 300_000, keepAlive: Infinity, write: 60_000 });
    assert.deepEqual([settings.date, settings.clock], [false, clock]);
  });

  it("reports failures to the handler; to the console without one, or if that fails", (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const request = new Request();
    const told: unknown[] = [];
    new ServeSettings({ error: (...given) => told.push(given) }).report("mine", request);
    assert.deepEqual([told, reported.mock.callCount()], [[["mine", request]], 0]);
    new ServeSettings({}).report("mine", request);
    const failing = (): never => {
      throw "its own";
    };
    new ServeSettings({ error: failing }).report("mine", request);
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      ["mine", "its own"],
    );
  });

  it("ignores what an async error handler does later: it never ends the process", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    new ServeSettings({ error: async () => Promise.reject("its own") }).report("mine", new Request());
    await quiet();
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      ["its own"],
    );
  });
});
