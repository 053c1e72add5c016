import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readLoadOptions, type LoadOptions } from "../../src/cli/load-options.ts";
import { UsageError } from "../../src/cli/options.ts";

const read = (line: string) => readLoadOptions(line.split(" ").filter((word) => word !== ""));

function loadOf(line: string): Omit<LoadOptions, "client"> {
  const { load } = read(line);
  assert.ok(load);
  const { client: _, ...others } = load;
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

describe("readLoadOptions", () => {
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
    it(`understands "${line}"`, () => assert.deepEqual(loadOf(`ws://a/ ${line}`), { ...byDefault, ...differences }));
  }

  it("hands on how to connect, and how to write", () => {
    const { load, json } = read("--json ws://a/ --deflate --timeout 3");
    assert.equal(json, true);
    assert.deepEqual([load!.client.deflate, load!.client.timeouts], [true, { handshake: 3000 }]);
  });

  it("needs no URL where help or the version is asked for", () => {
    for (const line of ["--help", "-h", "--version", "-v ws://a/ ws://b/"]) assert.equal(read(line).load, undefined);
  });

  for (const [line, message] of [
    ["", "bench needs the URL of a server, such as ws://127.0.0.1:8080/"],
    ["ws://a/ 8080", "bench takes one URL, and 2 words were given"],
    ["ws://a/ --rate 0 -n 1", "--rate 0 sends no messages: leave --messages out, or the rate"],
    ["ws://a/ -d 0", "--duration takes a number of seconds above 0"],
    ["ws://a/ -c 0", '"0" is no such number; --connections takes a whole number of at least 1'],
    ["ws://a/ --depth", "--depth needs a value, such as --depth 1"],
    ["ws://a/ --rate fast", '"fast" is no such number; --rate takes one such as 10 or 0.5'],
  ] as const) {
    it(`says what is wrong with "${line}"`, () => {
      assert.throws(
        () => read(line),
        (error) => error instanceof UsageError && error.message === message,
      );
    });
  }
});
