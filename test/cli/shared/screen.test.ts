import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { Screen } from "../../../src/cli/shared/screen.ts";
import { terminal, TestStdio } from "../support/test-stdio.ts";

/** ESC [ N LETTER, or any character. */
const sequences = /(\p{Cc}\[(\d*)([A-Z]))|([^])/gu;

/** What a terminal of 80 columns shows of the sequences that readline and the screen write. */
function shown(written: string): string[] {
  const rows: string[] = [""];
  let row = 0;
  let column = 0;
  for (const [, move, count, how, text] of written.matchAll(sequences)) {
    if (move !== undefined) {
      const n = Number(count || 1);
      if (how === "A") row -= n;
      else if (how === "G") column = n - 1;
      else if (how === "C") column += n;
      else if (how === "J") {
        rows[row] = rows[row]!.slice(0, column);
        rows.length = row + 1;
      } else throw new Error(`what is ${JSON.stringify(move)}?`);
    } else if (text === "\r") column = 0;
    else if (text === "\n") {
      row++;
      column = 0;
    } else {
      if (column === 80) {
        row++;
        column = 0;
      }
      const line = (rows[row] ?? "").padEnd(column);
      rows[row] = line.slice(0, column) + text + line.slice(column + 1);
      column++;
    }
    for (let i = 0; i <= row; i++) rows[i] ??= "";
  }
  return rows;
}

describe("Screen", () => {
  it("writes to stdout and stderr", async () => {
    const stdio = new TestStdio();
    const screen = new Screen(stdio);
    await screen.out("a");
    await screen.out(Buffer.from([0x62]));
    screen.err("c");
    await stdio.shows("c", "err");
    assert.deepEqual([stdio.out, stdio.err], ["ab", "c"]);
  });

  for (const [kind, typed] of [
    ["a short line", "half a li"],
    ["a line of several rows", "long ".repeat(40)],
  ] as const) {
    it(`writes above the prompt, and leaves ${kind} that is being typed`, async () => {
      const stdio = terminal();
      const screen = new Screen(stdio);
      const { stdin: input, stdout: output } = stdio;
      const prompt = createInterface({ input, output, terminal: true, prompt: "> " });
      screen.startPrompt(prompt);
      // By keys, as a terminal sends them.
      for (const key of typed) input.write(key);
      await stdio.shows(typed.slice(-3));
      const line = `> ${typed}`;
      const rows = line.match(/.{1,80}/g)!;
      for (let i = 1; i <= 3; i++) {
        await screen.out(`message ${i}\n`);
        await stdio.shows(`message ${i}`);
        const before = Array.from({ length: i }, (_, n) => `message ${n + 1}`);
        assert.deepEqual(shown(stdio.out), [...before, ...rows]);
      }
      assert.equal(prompt.line, typed);
      screen.endPrompt();
      await screen.out("end\n");
      assert.deepEqual(shown(stdio.out), ["message 1", "message 2", "message 3", "end", ""]);
    });
  }

  it("notices when the reader is gone, and goes on in silence", async () => {
    const stdio = new TestStdio();
    const screen = new Screen(stdio);
    stdio.stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await screen.gone;
    assert.equal(screen.isGone, true);
    await screen.out("a");
    stdio.stderr.destroy(new Error("too"));
  });
});
