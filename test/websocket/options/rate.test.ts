import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../../src/testing/index.ts";
import { RateMeter, rateSettings } from "../../../src/websocket/options/rate.ts";
import { kept, open, roles } from "../support/client-kit.ts";
import { concat } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";

describe("rateSettings", () => {
  it("has the documented defaults, and is undefined without a limit", () => {
    assert.equal(rateSettings(undefined), undefined);
    assert.equal(rateSettings(false), undefined);
    assert.equal(rateSettings({ burst: 5 }), undefined);
    assert.deepEqual(rateSettings({ messages: 10 }), { messages: 10, bytes: Infinity, burst: 2000, exceeded: "wait" });
  });

  for (const [given, message] of [
    [{ messages: 0 }, /rate\.messages must be a number above 0/],
    [{ bytes: Number.NaN }, /rate\.bytes must be a number above 0/],
    [{ burst: -1 }, /rate\.burst must be/],
    [{ exceeded: "drop" }, /rate\.exceeded must be "wait" or "close", not "drop"/],
    [{ message: 1 }, /did you mean messages/i],
    [5, /rate takes a plain object/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => rateSettings(given as never), { code: "core.invalid_argument", message });
    });
  }
});

describe("RateMeter", () => {
  const settings = rateSettings({ messages: 10, bytes: 1000, burst: 1000 })!;

  it("lets a burst pass, and then as much as its rate", () => {
    const meter = new RateMeter(settings, 0);
    assert.equal(meter.take(10, 0, 0), 0);
    assert.equal(meter.take(11, 0, 0), 100);
    assert.equal(meter.take(11, 0, 100), 0);
    assert.equal(meter.take(12, 0, 150), 50);
  });

  it("never has more than the burst, after any silence", () => {
    const meter = new RateMeter(settings, 0);
    assert.equal(meter.take(10, 0, 1_000_000), 0);
    assert.equal(meter.take(15, 0, 1_000_000), 500);
  });

  it("goes into debt for data beyond the burst, by the limit exceeded more", () => {
    const meter = new RateMeter(settings, 0);
    assert.equal(meter.take(15, 3000, 0), 2000);
    assert.equal(meter.take(15, 3000, 1900), 100);
  });
});

for (const role of roles) {
  describe(`as a ${role}: the option rate`, () => {
    it("pauses reading until the peer is within it again, and counts that", async () => {
      const clock = new VirtualClock();
      const got: string[] = [];
      const connection = await open(role, {
        clock,
        message: kept(got),
        rate: { messages: 10, burst: 500 },
      });
      const said = (text: string): Uint8Array => connection.text(text);
      await connection.say(concat(...Array.from({ length: 10 }, (_, i) => said(`${i}`))));
      assert.equal(got.length, 10, "what one read brought is taken");
      await connection.say(said("late"), connection.ping("p"));
      assert.equal(got.length, 10);
      assert.equal(connection.ws.stats().throttles, 1);
      await clock.advance(499);
      await quiet();
      assert.equal(got.length, 10);
      await clock.advance(1);
      await quiet();
      assert.equal(got.at(-1), "late");
      assert.equal(connection.ws.isOpen, true);
      connection.ws.terminate();
      await quiet();
      assert.equal(clock.pending, 0);
    });

    it("counts fragments, pings and bytes", async () => {
      for (const flood of ["ping", "more", "bytes"] as const) {
        const clock = new VirtualClock();
        const connection = await open(role, {
          clock,
          message: () => {},
          rate: flood === "bytes" ? { bytes: 100, burst: 1000 } : { messages: 10, burst: 1000 },
        });
        const frames = {
          ping: () => Array.from({ length: 30 }, () => connection.ping()),
          more: () => [
            connection.text("", { fin: false }),
            ...Array.from({ length: 28 }, () => connection.more("", { fin: false })),
            connection.more("x"),
          ],
          bytes: () => [connection.binary(new Uint8Array(1000))],
        };
        await connection.say(concat(...frames[flood]()));
        assert.equal(connection.ws.stats().throttles, 1, flood);
        connection.ws.terminate();
      }
    });

    it("closes with 1008 if the option says so, and reports why to the application", async () => {
      const codes: string[] = [];
      const connection = await open(role, {
        message: () => {},
        error: (_, error) => codes.push(error.code),
        rate: { messages: 1, exceeded: "close", burst: 1000 },
      });
      await connection.say(concat(...Array.from({ length: 5 }, () => connection.text("x"))));
      await connection.end();
      assert.deepEqual(codes, ["websocket.rate_exceeded"]);
      const { code, clean } = await connection.ws.closed;
      assert.deepEqual([code, clean], [1008, false]);
      const close = connection.sent.at(-1)!;
      assert.deepEqual([close.code, (close.payload[0]! << 8) | close.payload[1]!], [8, 1008]);
    });

    for (const exceeded of ["wait", "close"] as const) {
      it(`does not delay the peer's close after ours: ${exceeded}`, async () => {
        const clock = new VirtualClock();
        const connection = await open(role, {
          clock,
          message: () => {},
          rate: { messages: 1, burst: 10_000, exceeded },
        });
        const flood = (count: number): Uint8Array =>
          concat(...Array.from({ length: count }, () => connection.text("x")));
        await connection.say(flood(exceeded === "wait" ? 1000 : 10));
        await quiet(10);
        assert.equal(connection.ws.stats().throttles, exceeded === "wait" ? 1 : 0);
        void connection.ws.close({ code: 1001 });
        await connection.say(flood(1000));
        await connection.say(connection.close(1001));
        await quiet(10);
        await connection.end();
        assert.deepEqual(await connection.ws.closed, { code: 1001, reason: "", clean: true });
        assert.equal(clock.pending, 0);
      });
    }

    it("also slows a peer while the application reads, but not one within the rate", async () => {
      const clock = new VirtualClock();
      const connection = await open(role, { clock, rate: { messages: 10, burst: 1000 } });
      for (let i = 0; i < 100; i++) {
        const read = connection.ws.read();
        await connection.say(connection.text(`${i}`));
        assert.equal(await read, `${i}`);
        await clock.advance(100);
      }
      assert.equal(connection.ws.stats().throttles, 0);
      connection.ws.terminate();
    });
  });
}
