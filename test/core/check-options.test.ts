import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkNumber,
  checkOptions,
  optionSet,
  show,
  type NumberRule,
} from "../../src/core/check-options.ts";

const misuse = (message: string): object => ({ code: "core.invalid_argument", message });

describe("names of options", () => {
  const set = optionSet("listenOnce", ["port", "host", "path", "ca", "onError"], "{ port: 80 }");

  for (const [name, advice] of [
    ["hostname", "did you mean host?"],
    ["prot", "did you mean port?"],
    ["onerror", "did you mean onError?"],
    ["caFile", "did you mean ca?"],
    ["po", "did you mean port?"],
    ["onPort", "did you mean port?"],
    ["timeoot", "there are port, host, path, ca, onError"],
    ["x", "there are port, host, path, ca, onError"],
    ["", "there are port, host, path, ca, onError"],
    ["constructor", "there are port, host, path, ca, onError"],
  ] as const) {
    it(`"${name}": ${advice}`, () => {
      const message = `listenOnce has no option "${name}": ${advice}`;
      assert.throws(() => checkOptions(set, { port: 1, [name]: 2 }), misuse(message));
    });
  }

  it("in another case mean themselves, rather than an option of another library", () => {
    const closer = optionSet("finish", ["timeout", "signal"]);
    const message = 'finish has no option "timeOut": did you mean timeout?';
    assert.throws(() => checkOptions(closer, { timeOut: 5 }), misuse(message));
  });

  it("that exist may have any value, also undefined", () => {
    checkOptions(set, { port: 1, host: undefined });
    checkOptions(set, {});
    checkOptions(set, Object.create(null));
  });

  it("need a plain object", () => {
    for (const [value, shown] of [
      [1, "1"],
      ["a", '"a"'],
      [null, "null"],
      [undefined, "undefined"],
      [[], "a list"],
      [new Map(), "a Map"],
      [() => {}, "a function"],
    ] as const) {
      const message = `listenOnce takes a plain object, such as { port: 80 }, not ${shown}`;
      assert.throws(() => checkOptions(set, value), misuse(message));
    }
    assert.throws(() => checkOptions(set, 1, "another"), { message: /^another takes a plain object/ });
    assert.throws(() => checkOptions(optionSet("bare", []), 1), misuse("bare takes a plain object, not 1"));
  });

  it("are listed, a dozen at most", () => {
    const names = Array.from({ length: 13 }, (_, index) => `${"abcdefghijklm"[index]!.repeat(9)}`);
    const all = optionSet("dozen", names.slice(0, 12));
    const most = optionSet("more", names);
    assert.throws(() => checkOptions(all, { "": 1 }), {
      message: new RegExp(`there are ${names.slice(0, 12).join(", ")}$`),
    });
    assert.throws(() => checkOptions(most, { "": 1 }), {
      message: new RegExp(`there are ${names.slice(0, 11).join(", ")} and 2 more$`),
    });
  });

  it("of any length get a short answer, at once", () => {
    const name = "port\n".padStart(10_000_000, "x");
    const message = `listenOnce has no option "${"x".repeat(40)}…": there are port, host, path, ca, onError`;
    assert.throws(() => checkOptions(set, { [name]: 1 }), misuse(message));
    assert.throws(() => checkOptions(set, { "a\nb": 1 }), { message: /^listenOnce has no option "a\\nb": / });
  });

  it("of another function are recognised: the function is named", () => {
    optionSet("firstTaker", ["elsewhereAlone", "elsewhereTwice"]);
    optionSet("secondTaker", ["elsewhereTwice"]);
    assert.throws(
      () => checkOptions(set, { elsewhereAlone: 1 }),
      misuse('listenOnce has no option "elsewhereAlone": firstTaker takes it'),
    );
    assert.throws(
      () => checkOptions(set, { elsewhereTwice: 1 }),
      misuse('listenOnce has no option "elsewhereTwice": firstTaker and secondTaker take it'),
    );
  });

  it("of a nested option are found there", () => {
    optionSet("rate", ["burstOfTest"]);
    const taker = optionSet("takesRate", ["rate"]);
    assert.throws(
      () => checkOptions(taker, { burstOfTest: 1 }),
      misuse('takesRate has no option "burstOfTest": did you mean rate.burstOfTest?'),
    );
  });

  const server = optionSet(
    "serveAll",
    "port host message deflate maxMessageSize timeouts headers fetch upgrade".split(" "),
  );
  for (const [name, advice] of [
    ["perMessageDeflate", "did you mean deflate?"],
    ["maxPayload", "did you mean maxMessageSize?"],
    ["maxPayloadLength", "did you mean maxMessageSize?"],
    ["idleTimeout", "did you mean timeouts.idle?"],
    ["keepAliveTimeout", "did you mean timeouts.keepAlive?"],
    ["fields", "did you mean headers?"],
    ["routes", "the handler fetch answers every plain request"],
    ["websocket", "handlers are among the other options, as in { port, message(ws, message) { … } }"],
    ["verifyClient", "the hook upgrade decides, and refuses by returning a response"],
    ["noServer", "mount(server, options) takes an existing server"],
    ["onmessage", "did you mean message?"],
  ] as const) {
    it(`of other libraries: "${name}": ${advice}`, () => {
      assert.throws(() => checkOptions(server, { [name]: 1 }), misuse(`serveAll has no option "${name}": ${advice}`));
    });
  }

  it("of an option that several functions have, each with its own parts, are those of the function", () => {
    optionSet("timeouts", ["ofServing"], "", ["serveTimed"]);
    optionSet("timeouts", ["ofConnecting"], "", ["connectTimed"]);
    const serving = optionSet("serveTimed", ["timeouts"]);
    assert.throws(() => checkOptions(serving, { ofServing: 1 }), { message: /did you mean timeouts.ofServing\?$/ });
    assert.throws(() => checkOptions(serving, { ofConnecting: 1 }), { message: /there are timeouts$/ });
  });

  it("of other libraries give no hint without an equivalent here", () => {
    assert.throws(
      () => checkOptions(set, { maxPayload: 1 }),
      misuse('listenOnce has no option "maxPayload": there are port, host, path, ca, onError'),
    );
  });
});

describe("numbers", () => {
  for (const [rule, sound, wrong, words] of [
    [{}, [0, 0.5, 7, Infinity], [-1, NaN, "5mb", null, {}, 5n], "a number, 0 or more (Infinity for no limit)"],
    [{ least: 1 }, [1, Infinity], [0, 0.99], "a number, 1 or more (Infinity for no limit)"],
    [{ above: 0, unit: "milliseconds" }, [0.1], [0], "a number of milliseconds above 0 (Infinity for no limit)"],
    [{ isWhole: true, least: 1 }, [1, Infinity], [1.5], "a whole number, 1 or more (Infinity for no limit)"],
    [{ isWhole: true, most: 65_535 }, [0, 65_535], [65_536, 0.5, Infinity, "80"], "a whole number from 0 to 65,535"],
    [{ isLimit: false, unit: "bytes" }, [5], [Infinity], "a number of bytes, 0 or more"],
  ] as [NumberRule, number[], unknown[], string][]) {
    it(`is ${words}`, () => {
      for (const value of sound) assert.equal(checkNumber("n", value, 7, rule), value);
      for (const value of wrong) {
        assert.throws(
          () => checkNumber("n", value as number, 7, rule),
          misuse(`n must be ${words}, not ${show(value)}`),
        );
      }
      assert.equal(checkNumber("n", undefined, 7, rule), 7);
    });
  }
});

describe("other kinds of options", () => {
  it("are functions", () => {
    const given = (): void => {};
    assert.equal(checkFunction("f", given), given);
    assert.equal(checkFunction("f", undefined), undefined);
    for (const value of [null, 1, "f", {}]) {
      assert.throws(() => checkFunction("f", value), misuse(`f must be a function, not ${show(value)}`));
    }
  });

  it("are true or false", () => {
    assert.deepEqual([checkBoolean("b", undefined, true), checkBoolean("b", false, true)], [true, false]);
    assert.throws(() => checkBoolean("b", 0 as unknown as boolean, true), misuse("b must be true or false, not 0"));
  });

  it("are one of several words", () => {
    assert.equal(checkChoice("w", undefined, ["a", "b"]), "a");
    assert.equal(checkChoice("w", "b", ["a", "b"]), "b");
    assert.throws(() => checkChoice<string>("w", "c", ["a", "b"]), misuse('w must be "a" or "b", not "c"'));
    assert.throws(() => checkChoice<number>("w", 5, [4, 6]), misuse("w must be 4 or 6, not 5"));
  });
});

it("values are shown in short form", () => {
  for (const [value, shown] of [
    ["5", '"5"'],
    ["x".repeat(41), "a string of 41 characters"],
    [5n, "5"],
    [Symbol("s"), "Symbol(s)"],
    [new Date(0), "a Date"],
    [new AbortController().signal, "an AbortSignal"],
    [Object.create(null), "an object"],
    [{}, "an object"],
  ] as const) {
    assert.equal(show(value), shown);
  }
});
