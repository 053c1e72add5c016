import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadOptionTable } from "../../src/cli/load-options.ts";
import { commandNames, help, summaries } from "../../src/cli/help.ts";

describe("help", () => {
  it("names every command with what it does", () => {
    assert.deepEqual(commandNames, ["bench", "echo", "serve"]);
    for (const name of commandNames) assert.ok(help().includes(`  ${name.padEnd(7)}${summaries[name]}\n`));
  });

  it("tells of one command what it does and how it is called", () => {
    assert.match(help("echo"), /^serval echo: .*\n\nUsage: serval echo \[options\]\n/);
    assert.match(help("serve"), /^serval serve: .*\n\nUsage: serval serve \[options\]\n/);
  });

  it("names all options of bench, in lines that fit a terminal, and says how latency is counted", () => {
    const text = help("bench");
    assert.match(text, /^serval bench: .*\n\nUsage: serval bench URL \[options\]\n/);
    for (const [name, { short }] of Object.entries(loadOptionTable)) {
      assert.ok(text.includes(short === undefined ? `      --${name} ` : `  -${short}, --${name} `), name);
    }
    for (const line of text.split("\n")) assert.ok(line.length < 80, line);
    assert.match(text, /counted from when a message was due/);
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
