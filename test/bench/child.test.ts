import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Child, pinned } from "../../bench/child.ts";

const children: Child[] = [];
after(() => Promise.all(children.map((child) => child.stop())));

/** A process that runs this code. */
const start = async (code: string, patience?: number): Promise<Child<{ port?: number }>> => {
  const child = await Child.start<{ port?: number }>("the server", [process.execPath, "-e", code], patience);
  children.push(child);
  return child;
};

const ready = `console.log(JSON.stringify({ port: 7 }));`;
const silent = `${ready} process.stdin.resume();`;

describe("a process under test", () => {
  it("says that it is ready, and answers", async () => {
    const child = await start(`${ready} process.stdin.on("data", (line) => process.stdout.write(line));`);
    assert.equal(child.about.port, 7);
    assert.deepEqual(await child.ask("echo", { of: 1 }), { question: "echo", of: 1 });
    assert.deepEqual(await child.ask("again"), { question: "again" });
  });

  it("is abandoned if it does not answer", async () => {
    const child = await start(silent);
    child.patience = 50;
    await assert.rejects(child.ask("usage"), /^Error: the server has not answered for 0\.05 s$/);
  });

  it("is abandoned if it does not get ready", async () => {
    await assert.rejects(start("process.stdin.resume()", 50), /^Error: the server has not answered for 0\.05 s/);
  });

  it("is abandoned if it ends, with its error output", async () => {
    await assert.rejects(
      start("console.error('no such thing'); process.exit(3)"),
      /^Error: the server ended: no such thing/,
    );
    const child = await start(`${ready} process.stdin.once("data", () => process.exit(1));`);
    await assert.rejects(child.ask("usage"), /^Error: the server ended/);
    await assert.rejects(child.ask("usage"), /^Error: the server ended/);
  });

  it("makes the question fail by answering with an error, or with no JSON", async () => {
    const child = await start(`${ready} process.stdin.once("data", () => console.log('{"error":"refused"}\\noops'));`);
    await assert.rejects(child.ask("usage"), /^Error: refused$/);
    const other = await start(`${ready} process.stdin.once("data", () => console.log("oops"));`);
    await assert.rejects(other.ask("usage"), /^Error: the server printed: oops$/);
  });
});

describe("pinned", () => {
  it("puts a command on a core, if there is one for it", () => {
    assert.deepEqual(pinned(["node", "x"], 3), ["taskset", "-c", "3", "node", "x"]);
    assert.deepEqual(pinned(["node", "x"], undefined), ["node", "x"]);
  });
});
