import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { installed, packages, program, requires, startDaemon, type Cleanup } from "../support/programs.ts";

/** Stands for a test, and ends when told. */
class Ending implements Cleanup {
  readonly passed = true;
  readonly #cleaners: (() => Promise<void>)[] = [];

  after(clean: () => Promise<void>): void {
    this.#cleaners.push(clean);
  }

  async end(): Promise<void> {
    for (const clean of this.#cleaners) await clean();
  }
}

const refused = async (port: number): Promise<unknown> =>
  once(connect(port, "127.0.0.1"), "connect").catch((error: NodeJS.ErrnoException) => error.code);

describe("the kit for Debian's programs", () => {
  it("names the packages that CI installs", () => {
    const script = readFileSync(fileURLToPath(new URL("../../../.ci/packages", import.meta.url)), "utf8");
    const [, list] = /^packages=\((.*)\)$/m.exec(script)!;
    assert.deepEqual(list!.split(" "), Object.values(packages).toSorted());
  });

  it("starts a daemon that listens, and leaves nothing", { skip: requires("microsocks") }, async () => {
    const test = new Ending();
    const daemon = await startDaemon(test, "microsocks", {
      args: ({ port }) => ["-i", "127.0.0.1", "-p", String(port)],
      files: () => ({ "a.conf": "content" }),
    });
    const file = path.join(daemon.folder, "a.conf");
    assert.equal(readFileSync(file, "utf8"), "content");
    const socket = connect(daemon.port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
    await test.end();
    assert.equal(existsSync(file), false);
    assert.equal(await refused(daemon.port), "ECONNREFUSED");
  });

  it("says what a daemon printed that does not start", { skip: requires("nginx") }, async (t) => {
    const nonsense = startDaemon(t, "nginx", {
      args: ({ folder }) => ["-p", folder, "-c", "a.conf", "-e", "stderr"],
      files: () => ({ "a.conf": "nonsense;" }),
    });
    await assert.rejects(nonsense, /nginx did not start: Error: it ended with 1\n.*unknown directive "nonsense"/s);
  });

  it("says why a test is skipped, but in CI skips none", (t) => {
    const { CI, CHROMIUM } = process.env;
    t.after(() => restore({ CI, CHROMIUM }));
    process.env.CHROMIUM = "/nowhere/chromium";
    restore({ CI: undefined });
    const missing = "chromium is not installed (apt-get install chromium, or set CHROMIUM to its path)";
    assert.equal(requires("chromium"), missing);
    assert.throws(() => installed("chromium"), { message: missing });
    restore({ CI: "true" });
    assert.equal(requires("chromium"), false);
    assert.equal(program("chromium"), undefined);
  });
});

function restore(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
