import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../../src/core/index.ts";
import { attentive } from "../../../src/core/internal.ts";
import { pair, VirtualClock } from "../../../src/testing/index.ts";
import { Stream } from "../../../src/websocket/index.ts";
import { suggestedTimeouts, type OptionsOf } from "../../../src/websocket/options/options.ts";
import { Settings } from "../../../src/websocket/options/settings.ts";
import { deflateSettings } from "../../../src/websocket/handshake/permessage-deflate.ts";

describe("Settings", () => {
  it("has the documented defaults", () => {
    const { options, ...rest } = new Settings({});
    assert.deepEqual(rest, {
      maxHeaderSize: 16_384,
      maxHeadersCount: 2000,
      maxMessageSize: 16_777_216,
      maxFragments: 131_072,
      highWaterMark: 65_536,
      maxBufferedAmount: 16_777_216,
      overflow: "close",
      fragmentSize: 131_072,
      text: "string",
      concurrency: 1,
      rate: undefined,
      deflate: undefined,
      timeouts: { client: suggestedTimeouts("client"), server: suggestedTimeouts("server") },
      clock: systemClock,
      time: attentive(systemClock),
      observer: undefined,
    });
    assert.deepEqual(options, {});
  });

  it("takes the given options", () => {
    const clock = new VirtualClock();
    const given: OptionsOf = {
      maxHeaderSize: 1,
      maxHeadersCount: 9,
      maxMessageSize: 2,
      highWaterMark: 3,
      maxBufferedAmount: 4,
      maxFragments: 6,
      overflow: "wait",
      autoFragment: true,
      writeBufferSize: 77,
      text: "bytes",
      concurrency: 4,
      rate: { messages: 1, bytes: 2, burst: 3, exceeded: "close" },
      deflate: { level: 3 },
      timeouts: { handshake: 5, idle: 6, keepAlivePings: false },
      clock,
    };
    const { options, ...rest } = new Settings(given);
    const { autoFragment: _, writeBufferSize: fragmentSize, timeouts, ...same } = given;
    assert.deepEqual(rest, {
      ...same,
      deflate: deflateSettings({ level: 3 }, () => true),
      fragmentSize,
      time: attentive(clock),
      timeouts: { client: timeouts, server: timeouts },
      observer: undefined,
    });
    assert.equal(new Settings({ autoFragment: false, writeBufferSize: 77 }).fragmentSize, Infinity);
    assert.equal(new Settings({ writeBufferSize: 0 }).fragmentSize, 8, "Beast's least");
    assert.deepEqual(options, given);
    given.highWaterMark = 99;
    assert.equal(options.highWaterMark, 3, "the options were not copied");
  });

  for (const name of [
    "maxHeaderSize",
    "maxHeadersCount",
    "maxMessageSize",
    "highWaterMark",
    "maxBufferedAmount",
    "maxFragments",
    "writeBufferSize",
    "handshake",
  ] as const) {
    const build = (value: unknown): Settings =>
      new Settings((name === "handshake" ? { timeouts: { handshake: value } } : { [name]: value }) as OptionsOf);

    it(`${name}: 0 and Infinity are good`, () => {
      for (const value of [0, Infinity, undefined]) assert.doesNotThrow(() => build(value), `${value}`);
    });

    for (const value of [-1, Number.NaN, -Infinity, "1", null, 1n, {}]) {
      it(`${name}: ${typeof value === "bigint" ? "1n" : JSON.stringify(value)} of ${typeof value} is refused by name`, () => {
        assert.throws(
          () => build(value),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, "core.invalid_argument");
            assert.match(error.message, new RegExp(name));
            return true;
          },
        );
      });
    }
  }

  it("text is string or bytes", () => {
    for (const value of ["", "String", "buffer", 1]) {
      assert.throws(() => new Settings({ text: value as "string" }), {
        code: "core.invalid_argument",
        message: /text must be/,
      });
    }
  });
});

describe("invalid options", () => {
  for (const [options, message] of [
    [{ massage: () => undefined }, /no option "massage"/],
    [{ message: "echo" }, /message must be a function, not "echo"/],
    [{ decorate: 1 }, /decorate must be a function/],
    [{ timeouts: 5000 }, /timeouts takes a plain object/],
    [{ timeouts: { idl: 1 } }, /timeouts has no option "idl": did you mean idle/],
    [{ timeouts: { idle: 0 } }, /timeouts.idle must be a number of milliseconds above 0/],
    [{ timeouts: { idle: -1 } }, /timeouts.idle must be a number/],
    [{ timeouts: { keepAlivePings: 1 } }, /timeouts.keepAlivePings must be true or false/],
    [{ overflow: "block" }, /overflow must be "close" or "drop" or "wait"/],
    [{ autoFragment: 1 }, /autoFragment must be/],
    [{ clock: 5 }, /clock must be a core.Clock, not 5/],
    [8080, /takes a plain object/],
    [null, /takes a plain object/],
  ] as const) {
    it(`${JSON.stringify(options)} are refused`, () => {
      assert.throws(() => new Stream(pair()[0], options as object), { code: "core.invalid_argument", message });
    });
  }

  it("undefined means the default", () => {
    assert.doesNotThrow(() => new Settings({ message: undefined, timeouts: undefined } as object));
  });
});
