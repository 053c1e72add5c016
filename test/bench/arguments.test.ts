import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { help, parseArguments, UsageError, type Plan } from "../../bench/arguments.ts";
import { firstLook, workloads } from "../../bench/workloads.ts";

const plan = (...args: string[]): Plan => {
  const parsed = parseArguments(args);
  assert.ok(parsed !== "help");
  return parsed;
};
const keys = (...args: string[]): string[] => plan(...args).workloads.map(({ key }) => key);
const refuses = (args: readonly string[], message: RegExp): void =>
  assert.throws(
    () => parseArguments(args),
    (error) => error instanceof UsageError && message.test(error.message),
  );

describe("the bench's arguments", () => {
  it("select everything if there are none", () => {
    assert.deepEqual(plan(), { workloads, quick: false, json: false });
  });

  it("choose workloads by words in their names, in the order of the table", () => {
    assert.deepEqual(keys("--only", "text-,echo-one"), ["echo-one", "text-one", "text-deep", "text-16k"]);
    assert.deepEqual(keys("--only", "echo-one", "--only", "idle"), ["echo-one", "idle"]);
    assert.deepEqual(keys("--only", "MiB x"), ["floods-long", "floods-texts"]);
    assert.deepEqual(keys("echo-one", "idle"), ["echo-one", "idle"]);
    assert.deepEqual(keys("idle", "--only", "echo-one"), ["echo-one", "idle"]);
  });

  it("choose groups, and single workloads also if others have their names in theirs", () => {
    const ofGroup = (name: string): string[] => workloads.filter(({ group }) => group === name).map(({ key }) => key);
    for (const group of ["messages", "deflate", "connections", "http", "client", "floods", "ws"]) {
      assert.deepEqual(keys(group), ofGroup(group));
      assert.ok(keys(group).length > 1);
    }
    assert.deepEqual(keys("get", "broadcast"), ["broadcast", "get"]);
  });

  it("choose a few workloads for a first look", () => {
    assert.deepEqual(plan("--quick").workloads, firstLook);
    assert.ok(firstLook.length > 5 && firstLook.length < 20);
    assert.deepEqual(keys("--quick", "idle"), ["idle"]);
  });

  it("choose peers and an older build", () => {
    const { peers, against, quick, json } = plan("--peers", "ws,bun", "--against", "v0.1.0", "--quick", "--json");
    assert.deepEqual([peers, against, quick, json], [["ws", "bun"], "v0.1.0", true, true]);
  });

  it("list the possible values if they are wrong", () => {
    refuses(["--only", "eco"], /"eco".* echo-one, echo-deep, /s);
    refuses(["--only", "echo,"], /No workload has ""/);
    refuses(["--peers", "socket.io"], /"socket\.io".* ws, net, handle, node:http/s);
    refuses(["--qick"], /--qick.*--only, --peers, --quick/s);
    refuses(["--against"], /--against/);
    refuses(["eco"], /"eco"/);
  });

  it("have a help text that names every workload and option", () => {
    assert.equal(parseArguments(["--help"]), "help");
    for (const { key } of workloads) assert.ok(help().includes(` ${key} `), key);
    for (const option of ["quick", "only", "peers", "against", "json", "help"])
      assert.ok(help().includes(`--${option}`));
  });
});

describe("workloads", () => {
  it("have names of their own", () => {
    assert.equal(new Set(workloads.map(({ key }) => key)).size, workloads.length);
    assert.equal(new Set(workloads.map(({ title }) => title)).size, workloads.length);
  });
});
