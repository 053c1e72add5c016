import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { echo } from "../../src/cli/serve/echo.ts";
import { help } from "../../src/cli/help.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { version } from "../../src/cli/version.ts";

/** Runs a command that does not go on, and collects what it writes. */
async function run(line: string): Promise<[code: number, out: string, err: string]> {
  const written = { out: "", err: "" };
  const code = await runCommand(line === "" ? [] : line.split(" "), {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
  });
  return [code, written.out, written.err];
}

describe("runCommand", () => {
  it("prints help and version", async () => {
    assert.deepEqual(await run("--help"), [0, help(), ""]);
    assert.deepEqual(await run("serve --help"), [0, help("serve"), ""]);
    assert.deepEqual(await run("bench --help"), [0, help("bench"), ""]);
    assert.deepEqual(await run("--version"), [0, `${version()}\n`, ""]);
    assert.deepEqual(await run(""), [2, "", help()]);
  });

  it("refuses invalid arguments, and points to the help", async () => {
    assert.deepEqual(await run("eco"), [
      2,
      "",
      'serval: unknown command "eco"; did you mean echo?; the commands are echo, serve, connect, inspect and bench; see serval --help\n',
    ]);
  });

  it("runs a load", async () => {
    await using server = await echo({ port: 0, host: "127.0.0.1" }, { deflate: false });
    const [code, out, err] = await run(`bench ${server.url} -c 2 -n 10`);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /10 sent, 10 received, 0 wrong, 0 lost/);
  });

  it("points to npm if npm runs it", async (t) => {
    const before = process.env["npm_lifecycle_event"];
    t.after(() => {
      if (before === undefined) delete process.env["npm_lifecycle_event"];
      else process.env["npm_lifecycle_event"] = before;
    });
    process.env["npm_lifecycle_event"] = "start";
    assert.match((await run("serve --prot 9"))[2], /^serval: unknown option "--prot"; .*; see npm start -- --help\n$/);
  });

  for (const command of ["echo", "serve"]) {
    it(`says why ${command} can't listen, and what to do about it`, async () => {
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      const advice = "stop the server that uses it, or choose another with --port (0 for any free one)";
      const inUse = `serval: port ${port} of 127.0.0.1 is in use; ${advice}\n`;
      assert.deepEqual(await run(`${command} --port ${port}`), [1, "", inUse]);
      other.close();

      // 192.0.2.0/24 is for documentation, and no machine's own: RFC 5737.
      const [code, out, err] = await run(`${command} --port 0 --host 192.0.2.1`);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(
        err,
        /^serval: Cannot listen on 192\.0\.2\.1:0: .*; --host takes an address or name of this machine\n$/,
      );
    });
  }
});
