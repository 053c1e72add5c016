import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { optionTables } from "../../src/cli/arguments.ts";
import { commandNames, help, summaries } from "../../src/cli/help.ts";

describe("help", () => {
  it("names every command with what it does", () => {
    assert.deepEqual(commandNames, ["echo", "serve", "connect", "inspect"]);
    for (const name of commandNames) assert.ok(help().includes(`  ${name.padEnd(9)}${summaries[name]}\n`));
  });

  it("tells of one command what it does and how it is called", () => {
    for (const name of ["echo", "serve"] as const) {
      assert.ok(help(name).startsWith(`serval ${name}: ${summaries[name]}\n\nUsage: serval ${name} [options]\n`));
    }
    for (const name of ["connect", "inspect"] as const) {
      assert.ok(help(name).startsWith(`serval ${name}: ${summaries[name]}\n\nUsage: serval ${name} [options] URL\n`));
    }
  });

  it("names every option of a command, and no other", () => {
    for (const command of commandNames) {
      const named = [...help(command).matchAll(/^ +(?:-(\w), )? *--([\w-]+)/gm)].map(([, short, name]) => [
        name,
        short,
      ]);
      const options = Object.entries(optionTables[command]).map(([name, { short }]) => [name, short]);
      assert.deepEqual(named.toSorted(), options.toSorted(), command);
    }
  });

  it("fits a terminal", () => {
    for (const text of [help(), ...commandNames.map((name) => help(name))]) {
      for (const line of text.split("\n")) assert.ok(line.length < 80, line);
      assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"));
    }
  });
});
