import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isInteractive, painter } from "../../../src/cli/shared/stdio.ts";
import { terminal, TestStdio } from "../support/test-stdio.ts";

describe("isInteractive", () => {
  it("takes a terminal at both ends that can move its cursor", () => {
    assert.equal(isInteractive(terminal()), true);
    assert.equal(isInteractive(new TestStdio({ stdin: true })), false);
    assert.equal(isInteractive(new TestStdio({ stdout: true })), false);
    const dumb = terminal();
    dumb.env["TERM"] = "dumb";
    assert.equal(isInteractive(dumb), false);
  });
});

describe("painter", () => {
  it("paints on a terminal alone, and not where NO_COLOR says so", () => {
    assert.equal(painter({ isTTY: true }, {})("red", "a"), "\u001b[31ma\u001b[0m");
    assert.equal(painter({ isTTY: true }, { NO_COLOR: "" })("green", "a"), "\u001b[32ma\u001b[0m");
    for (const [stream, env] of [
      [{}, {}],
      [{ isTTY: true }, { NO_COLOR: "1" }],
      [{ isTTY: true }, { TERM: "dumb" }],
    ] as const) {
      assert.equal(painter(stream, env)("red", "a"), "a");
    }
  });
});
