import assert from "node:assert/strict";
import { it } from "node:test";
import type { Fields } from "../../src/http/index.ts";
import { HeadParser, type StartLineScanner } from "../../src/http/head-parser.ts";

/** A start line of one character and a line break. */
class Letter implements StartLineScanner {
  isDone = false;
  gotSome = false;

  scan(_bytes: Uint8Array, position: number, end: number): number {
    this.gotSome = end > 0;
    this.isDone = end >= 2;
    return Math.max(position, Math.min(end, 2));
  }
}

class LetterParser extends HeadParser<Letter, string> {
  get letter(): string | undefined {
    return this.message;
  }

  protected override build(_line: Letter, head: string, fields: Fields): string {
    return `${head.charAt(0)} with ${fields.size}`;
  }
}

const bytes = new TextEncoder().encode("X\na: b\r\nContent-Length: 7\r\n\r\nbehind");

it("a head is a start line and fields, however they come, and nothing behind them", () => {
  for (let step = 1; step <= bytes.length; step++) {
    const parser = new LetterParser(new Letter(), {});
    assert.deepEqual([parser.isDone, parser.gotSome, parser.headSize], [false, false, 0]);
    let used = 0;
    for (let end = step; used === 0; end += step) used = parser.put(bytes.subarray(0, end));
    assert.deepEqual([used, parser.headSize, parser.letter], [bytes.length - 6, bytes.length - 6, "X with 2"]);
    assert.deepEqual([parser.isDone, parser.gotSome, parser.contentLength], [true, true, 7]);
    assert.throws(() => parser.put(bytes), { code: "http.stale_parser" });
  }
});

it("a parser that has failed goes on failing, and its limits hold", () => {
  for (const [options, code] of [
    [{ fieldLimit: 1 }, "http.field_limit"],
    [{ headerLimit: 10 }, "http.header_limit"],
  ] as const) {
    const parser = new LetterParser(new Letter(), options);
    for (let i = 0; i < 2; i++) assert.throws(() => parser.put(bytes), { code });
    assert.equal(parser.letter, undefined);
  }
});
