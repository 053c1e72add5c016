import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("../../src/", import.meta.url));

it("says what to install if an optional package is missing", (test) => {
  // Where nobody has installed anything.
  const folder = mkdtempSync(path.join(tmpdir(), "serval-packages-"));
  test.after(() => rmSync(folder, { recursive: true }));
  cpSync(sources, path.join(folder, "src"), { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  const script = `
    import { connect } from "./src/client/index.js";
    const attempts = ["socks5://127.0.0.1:1", "socks5h://127.0.0.1:1", "environment"];
    for (const proxy of attempts) {
      await connect("ws://127.0.0.1:1/", { proxy }).catch(({ code, condition, message }) => {
        console.log(code, condition, message);
      });
    }
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, WS_PROXY: "http://127.0.0.1:1", NO_PROXY: "" },
  });
  const socks = "client.missing_package misuse The package socks is not installed, and a socks5: proxy needs it";
  assert.deepEqual(
    stdout.trimEnd().split("\n"),
    [
      `${socks}: npm install socks`,
      `${socks}: npm install socks`,
      "client.missing_package misuse The package proxy-from-env is not installed, " +
        'and the option proxy: "environment" needs it: npm install proxy-from-env',
    ],
    stderr,
  );
});
