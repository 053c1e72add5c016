import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptionNames } from "../../src/core/option-names.ts";

const known = ["port", "host", "path", "ca", "onEnd"];

for (const [name, advice] of [
  ["hostname", "did you mean host?"],
  ["prot", "did you mean port?"],
  ["onend", "did you mean onEnd?"],
  ["caFile", "did you mean ca?"],
  ["po", "did you mean port?"],
  ["timeout", "there are port, host, path, ca, onEnd"],
  ["x", "there are port, host, path, ca, onEnd"],
  ["", "there are port, host, path, ca, onEnd"],
] as const) {
  test(`the option "${name}": ${advice}`, () => {
    assert.throws(() => checkOptionNames("listen", { port: 1, [name]: 2 }, known), {
      code: "core.invalid_argument",
      message: `listen has no option "${name}": ${advice}`,
    });
  });
}

test("options that there are may be anything, also undefined", () => {
  checkOptionNames("listen", { port: 1, host: undefined }, known);
  checkOptionNames("listen", {}, known);
});
