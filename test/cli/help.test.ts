import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandNames, help, summaries } from "../../src/cli/help.ts";

describe("help", () => {
  it("names every command with what it does", () => {
    assert.deepEqual(commandNames, ["echo", "serve"]);
    for (const name of commandNames) assert.ok(help().includes(`  ${name.padEnd(7)}${summaries[name]}\n`));
  });

  it("tells of one command what it does and how it is called", () => {
    assert.match(help("echo"), /^serval echo: .*\n\nUsage: serval echo \[options\]\n/);
    assert.match(help("serve"), /^serval serve: .*\n\nUsage: serval serve \[options\]\n/);
  });

  it("names the options, in lines that fit a terminal", () => {
    for (const text of [help(), help("echo"), help("serve")]) {
      for (const option of ["-p, --port", "--host", "--deflate", "--max-message-size", "-h, --help", "-v, --version"])
        assert.ok(text.includes(option));
      for (const line of text.split("\n")) assert.ok(line.length < 80, line);
      assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"));
    }
  });
});
