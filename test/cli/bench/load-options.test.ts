import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientOptions } from "../../../src/cli/shared/client-options.ts";
import { loadOptions, readLoad, type LoadOptions } from "../../../src/cli/bench/load-options.ts";
import { readOptions, UsageError } from "../../../src/cli/shared/options.ts";

function read(line: string): LoadOptions {
  const args = line.split(" ").filter((word) => word !== "");
  return readLoad(readOptions(args, { ...loadOptions, ...clientOptions }), "ws://a/");
}

function loadOf(line: string): Omit<LoadOptions, "client"> {
  const { client: _, ...others } = read(line);
  return others;
}

const byDefault = {
  url: "ws://a/",
  connections: 50,
  opening: 100,
  size: 64,
  isText: false,
  depth: 1,
  echo: true,
  rate: undefined,
  warmup: 0,
  duration: 10_000,
  messages: Infinity,
};

describe("readLoad", () => {
  for (const [line, differences] of [
    ["", {}],
    ["-c 3 --opening 2 -s 0 --depth 4", { connections: 3, opening: 2, size: 0, depth: 4 }],
    ["--text --no-echo", { isText: true, echo: false }],
    ["-r 0.5 -d 0.25 --warmup 2", { rate: 0.5, duration: 250, warmup: 2000 }],
    ["--rate 0", { rate: 0 }],
    // So many messages are enough, unless a time is given as well.
    ["-n 7", { messages: 7, duration: Infinity }],
    ["-n 7 -d 1", { messages: 7, duration: 1000 }],
  ] as const) {
    it(`understands "${line}"`, () => assert.deepEqual(loadOf(line), { ...byDefault, ...differences }));
  }

  it("passes the client options on", () => {
    const { client } = read("--deflate --timeout 3");
    assert.deepEqual([client.deflate, client.timeouts], [true, { handshake: 3000 }]);
  });

  for (const [line, message] of [
    ["--rate 0 -n 1", "--rate 0 sends no messages; leave out --messages, or set another --rate"],
    ["-d 0", "--duration takes a number of seconds above 0"],
    ["-c 0", '--connections takes a whole number of at least 1, not "0"'],
    ["--depth", "--depth needs a value, such as --depth 1"],
    ["--rate fast", '--rate takes a number such as 10 or 0.5, not "fast"'],
  ] as const) {
    it(`says what is wrong with "${line}"`, () => {
      assert.throws(
        () => read(line),
        (error) => error instanceof UsageError && error.message === message,
      );
    });
  }
});
