import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isInteractive, painter } from "../../../src/cli/shared/stdio.ts";
import { terminal, TestStdio } from "../support/test-stdio.ts";

describe("isInteractive", () => {
  it("is interactive if both ends are a terminal that can move its cursor", () => {
    assert.equal(isInteractive(terminal()), true);
    assert.equal(isInteractive(new TestStdio({ stdin: true })), false);
    assert.equal(isInteractive(new TestStdio({ stdout: true })), false);
    const dumb = terminal();
    dumb.env["TERM"] = "dumb";
    assert.equal(isInteractive(dumb), false);
  });
});

describe("painter", () => {
  it("paints only on a terminal, and not if NO_COLOR is set", () => {
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
