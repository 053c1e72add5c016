import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { lines } from "../../../src/cli/shared/lines.ts";

async function all(...chunks: (Uint8Array | string)[]): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(Readable.from(chunks))) found.push(line);
  return found;
}

describe("lines", () => {
  const text = "one\r\n\ntwo é € 😀\nend";

  it("arrive at every split of the input, within characters too", async () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(await all(bytes.subarray(0, at), bytes.subarray(at)), ["one", "", "two é € 😀", "end"]);
    }
  });

  it("are read from strings too", async () => {
    assert.deepEqual(await all(text), ["one", "", "two é € 😀", "end"]);
  });

  it("need no end after the last, and an end makes no empty one", async () => {
    assert.deepEqual(await all(), []);
    assert.deepEqual(await all("a\n"), ["a"]);
    assert.deepEqual(await all("\n"), [""]);
    assert.deepEqual(await all(Buffer.from([0x61, 0xe2, 0x82])), ["a\ufffd"]);
    assert.deepEqual(await all(Buffer.from("\ufeffa")), ["\ufeffa"]);
  });

  it("arrive as soon as they are complete", async () => {
    const input = new Readable({ read() {} });
    const found = lines(input);
    input.push("a\nb");
    assert.equal((await found.next()).value, "a");
    input.push("c\n");
    assert.equal((await found.next()).value, "bc");
    input.push(null);
    assert.equal((await found.next()).done, true);
  });
});
