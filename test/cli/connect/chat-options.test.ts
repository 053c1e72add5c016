import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chatOptions, readChat } from "../../../src/cli/connect/chat-options.ts";
import { readOptions, UsageError } from "../../../src/cli/shared/options.ts";

describe("readChat", () => {
  const read = (...args: string[]) => readChat(readOptions(args, chatOptions));

  it("waits half a second by default, or for the seconds given, or forever", () => {
    assert.deepEqual(read(), { binary: false, hex: false, json: false, wait: 500 });
    assert.equal(read("--wait", "2").wait, 2000);
    assert.equal(read("--wait", "0").wait, 0);
    assert.equal(read("--wait", "forever").wait, Infinity);
    assert.throws(() => read("--wait", "never"), {
      constructor: UsageError,
      message: '--wait takes a number such as 10 or 0.5, or "forever", not "never"',
    });
  });

  it("shows messages in the form asked for", () => {
    assert.deepEqual(read("--hex", "--binary", "--json"), { binary: true, hex: true, json: true, wait: 500 });
  });
});
