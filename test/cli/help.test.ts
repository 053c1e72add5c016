import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandNames, commands } from "../../src/cli/commands.ts";
import { help } from "../../src/cli/help.ts";

describe("help", () => {
  it("names every command with its purpose", () => {
    assert.deepEqual(commandNames, ["echo", "serve", "connect", "inspect", "bench"]);
    for (const name of commandNames) assert.ok(help().includes(`  ${name.padEnd(9)}${commands[name].summary}\n`));
  });

  it("says a command's purpose and usage", () => {
    for (const name of ["echo", "serve"] as const) {
      assert.ok(
        help(name).startsWith(`serval ${name}: ${commands[name].summary}\n\nUsage: serval ${name} [options]\n`),
      );
    }
    for (const name of ["connect", "inspect", "bench"] as const) {
      assert.ok(
        help(name).startsWith(`serval ${name}: ${commands[name].summary}\n\nUsage: serval ${name} [options] URL\n`),
      );
    }
  });

  it("names every option of a command, and no other", () => {
    for (const command of commandNames) {
      const named = [...help(command).matchAll(/^ +(?:-(\w), )? *--([\w-]+)/gm)].map(([, short, name]) => [
        name,
        short,
      ]);
      const options = Object.entries(commands[command].options).map(([name, { short }]) => [name, short]);
      assert.deepEqual(named.toSorted(), options.toSorted(), command);
    }
  });

  it("describes every option, with the units of times, and says when latency counts from", () => {
    for (const command of commandNames) {
      const words = help(command).replaceAll(/\s+/g, " ");
      for (const option of Object.values(commands[command].options))
        assert.ok(words.includes(option.help), option.help);
    }
    for (const command of ["connect", "inspect", "bench"] as const) {
      assert.match(help(command), /^ {6}--timeout S {6}seconds to wait for opening/m);
    }
    assert.match(help("bench"), /counts from when a message was due/);
  });

  it("fits a terminal", () => {
    for (const text of [help(), ...commandNames.map((name) => help(name))]) {
      for (const line of text.split("\n")) assert.ok(line.length < 80, line);
      assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"));
    }
  });
});
