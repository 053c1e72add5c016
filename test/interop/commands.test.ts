import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { serve } from "../../src/server/index.ts";
import { command, Command, commandReading } from "../cli/support/command.ts";
import { until } from "../core/support/stream-operations.ts";
import { freePort } from "../support/free-port.ts";
import { localhost } from "../support/localhost.ts";

// The commands as programs of their own, against each other: with certificates, on Unix sockets, under load.

/** A folder of a test's own. */
function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("serval bench", () => {
  it("loads serval echo, and reports the result", async () => {
    await using running = new Command("echo", "--port", "0");
    const url = await running.url("ws");
    const { code, stdout, stderr } = await command("bench", url, "-c", "5", "--depth", "3", "-n", "1000");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^connections  5 opened, 0 failed$/m);
    assert.match(stdout, /^messages     1,000 sent, 1,000 received, 0 wrong, 0 lost$/m);
    assert.match(stdout, /^closes       1000: 5$/m);
  });

  it("writes only JSON if asked for it", async () => {
    await using running = new Command("echo", "--port", "0", "--deflate");
    const url = await running.url("ws");
    const { code, stdout, stderr } = await command("bench", url, "--json", "--deflate", "--text", "-n", "100");
    assert.deepEqual([code, stderr], [0, ""]);
    const { messages, latency } = JSON.parse(stdout) as { messages: { received: number }; latency: { count: number } };
    assert.deepEqual([messages.received, latency.count], [100, 100]);
  });

  it("ends early at SIGINT, and still reports the result", async () => {
    let messages = 0;
    await using server = await serve({ port: 0, host: "127.0.0.1", message: () => void messages++ });
    await using running = new Command("bench", server.url, "-c", "2", "--duration", "3600");
    await until(() => messages === 2);
    running.kill("SIGINT");
    const { code, signal, stdout, stderr } = await running.ended;
    assert.deepEqual([code, signal, stderr], [0, null, ""]);
    assert.match(stdout, /; ended early$/m);
    assert.match(stdout, /2 sent, 0 received, 0 wrong, 0 lost, 2 not waited for$/m);
  });

  it("exits with 1 if no connection could be opened, and with 2 for an invalid URL", async () => {
    const refused = await command("bench", `ws://127.0.0.1:${await freePort()}/`, "-n", "1");
    assert.deepEqual([refused.code, refused.stderr], [1, ""]);
    assert.match(refused.stdout, /net\.connection_refused: 50$/m);
    assert.deepEqual(await command("bench", "ws:/a", "-n", "1", "--proxy", "x"), {
      code: 2,
      signal: null,
      stdout: "",
      stderr:
        "serval: This is not a whole URL: write it like http://user:password@proxy.example:3128; see serval bench --help\n",
    });
  });
});

describe("a server of the serval command", () => {
  for (const name of ["echo", "serve"]) {
    it(`${name} speaks TLS with a certificate, and plain too if asked to`, async (t) => {
      const folder = folderOf(t);
      const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
      writeFileSync(cert, localhost.cert);
      writeFileSync(key, localhost.key);
      await using running = new Command(name, "--port", "0", "--cert", cert, "--key", key, "--plain");
      const url = await running.url("wss");
      const args = ["--ca", cert, "--timeout", "5"];
      for (const each of [url, url.replace("wss:", "ws:")]) {
        const { code, stdout } = await commandReading("hi\n", "connect", each, ...args);
        assert.deepEqual([code, stdout], [0, "hi\n"]);
      }
    });

    it(`${name} listens on a Unix socket`, async (t) => {
      const socket = path.join(folderOf(t), "a.sock");
      await using running = new Command(name, "--unix", socket);
      const url = await running.url("ws+unix");
      assert.equal(url, `ws+unix:${socket}:/${name === "serve" ? "echo" : ""}`);
      const { code, stdout } = await commandReading("hi\n", "connect", url);
      assert.deepEqual([code, stdout], [0, "hi\n"]);
      const second = await command(name, "--unix", socket);
      assert.deepEqual([second.code, second.stdout], [1, ""]);
      assert.match(second.stderr, /^serval: Cannot listen on .*another server listens there\..*\n$/);
    });
  }
});
