import assert from "node:assert/strict";
import { it } from "node:test";
import { checkKind, checkSendOptions, sendOptions } from "../../../src/websocket/options/of-operations.ts";
import type { SendOptions } from "../../../src/websocket/options/options.ts";

it("options of a message to be sent must be known, with valid values", () => {
  for (const good of [{}, { kind: "text", compress: false }, { kind: undefined, compress: undefined }] as const)
    checkSendOptions(sendOptions, good);
  const cases: [wrong: unknown, message: string][] = [
    [true, "publish takes a plain object, such as { compress: false }, not true"],
    [() => {}, "publish takes a plain object, such as { compress: false }, not a function"],
    [null, "publish takes a plain object, such as { compress: false }, not null"],
    [{ Kind: "text" }, 'publish has no option "Kind": did you mean kind?'],
    [{ kind: "txt" }, 'kind must be "text" or "binary", not "txt"'],
    [{ compress: "no" }, 'compress must be true or false, not "no"'],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => checkSendOptions(sendOptions, wrong as SendOptions, "publish"), {
      code: "core.invalid_argument",
      message,
    });
  }
});

it("a kind is text or binary", () => {
  assert.deepEqual([checkKind("text"), checkKind("binary")], ["text", "binary"]);
  for (const wrong of ["Text", "", null, 1])
    assert.throws(() => checkKind(wrong as "text"), { code: "core.invalid_argument" });
});
