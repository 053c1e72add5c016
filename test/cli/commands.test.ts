import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandNames, commands, generalOptions, type CommandName, type Task } from "../../src/cli/commands.ts";
import { readOptions } from "../../src/cli/shared/options.ts";

/** What a command is to do, for the words after its name. */
function taskOf(name: CommandName, line = "", url = "ws://a/"): Task {
  const args = line.split(" ").filter((word) => word !== "");
  return commands[name].read(readOptions(args, commands[name].options, name), url);
}

describe("the commands", () => {
  it("are those of the table, each with help and version", () => {
    assert.deepEqual(commandNames, Object.keys(commands));
    for (const name of commandNames) {
      for (const [option, what] of Object.entries(generalOptions)) assert.equal(commands[name].options[option], what);
    }
  });

  it("use no letter for two options of one command", () => {
    for (const name of commandNames) {
      const letters = Object.values(commands[name].options).flatMap(({ short }) => short ?? []);
      assert.equal(new Set(letters).size, letters.length, name);
    }
  });

  it("read their options: servers alone, the others with the URL", () => {
    for (const name of ["echo", "serve"] as const) {
      const task = taskOf(name, "--port 81 --deflate");
      assert.ok(task.kind === "run");
      assert.deepEqual([task.command, task.where.port, task.echo.deflate], [name, 81, true]);
      assert.equal(commands[name].takesUrl, false);
    }
    const connect = taskOf("connect", "--hex --max-message-size 5");
    assert.ok(connect.kind === "connect");
    assert.deepEqual(
      [connect.client.url, connect.client.options.maxMessageSize, connect.chat.hex],
      ["ws://a/", 5, true],
    );
    const inspect = taskOf("inspect", "--json", "wss://b/");
    assert.ok(inspect.kind === "inspect");
    assert.deepEqual([inspect.client.url, inspect.json], ["wss://b/", true]);
    const bench = taskOf("bench", "--json");
    assert.ok(bench.kind === "bench");
    assert.deepEqual([bench.load.url, bench.json], ["ws://a/", true]);
    for (const name of ["connect", "inspect", "bench"] as const) assert.equal(commands[name].takesUrl, true);
  });
});
