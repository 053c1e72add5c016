import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { bench } from "../../../src/cli/bench/bench.ts";
import type { LoadOptions } from "../../../src/cli/bench/load-options.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/index.ts";
import { until } from "../../core/support/stream-operations.ts";
import { small } from "../support/load-kit.ts";

const open = (options: ServeOptions): Promise<Server> => serve({ port: 0, host: "127.0.0.1", ...options });
const echo: ServeOptions = { message: (ws, message) => ws.write(message) };

/** Clears the line on a terminal. */
const clear = "\r\x1b[K";

/** A run, what it has written, and the process that it would be signalled by. */
function start(options: LoadOptions, { json = false, columns }: { json?: boolean; columns?: number } = {}) {
  const written = { out: "", err: "" };
  const signalled = new EventEmitter();
  const output = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    columns,
  };
  return { written, signalled, code: bench(options, json, output, { signalled }) };
}

describe("bench", () => {
  it("writes its report and nothing else without a terminal", async () => {
    await using server = await open(echo);
    const { written, signalled, code } = start(small(server.url));
    assert.equal(await code, 0);
    assert.match(written.out, /^load .*\n(.*\n)*messages {5}30 sent, 30 received, 0 wrong, 0 lost\n/);
    assert.deepEqual([written.err, signalled.eventNames()], ["", []]);
  });

  it("shows a progress line on a terminal, and removes it at the end", async () => {
    await using server = await open(echo);
    const { written, code } = start(small(server.url), { columns: 80 });
    assert.equal(await code, 0);
    const [before, first, ...others] = written.err.split(clear);
    assert.equal(before, "");
    assert.match(first!, /^0 open .* 0 errors$/);
    assert.equal(others.at(-1), "");
  });

  it("writes only JSON if asked for it, even on a terminal", async () => {
    await using server = await open(echo);
    const { written, code } = start(small(server.url), { json: true, columns: 80 });
    assert.equal(await code, 0);
    assert.equal((JSON.parse(written.out) as { messages: { received: number } }).messages.received, 30);
    assert.equal(written.err, "");
  });

  for (const [what, options, differences] of [
    ["answers are lost", { message: (ws) => ws.terminate() }, {}],
    ["answers are wrong", { message: (ws) => ws.write("wrong") }, {}],
  ] as [string, ServeOptions, Partial<LoadOptions>][]) {
    it(`exits with 1 if ${what}`, async () => {
      await using server = await open(options);
      assert.equal(await start(small(server.url, differences)).code, 1);
    });
  }

  it("exits with 1 if no connection could be opened", async () => {
    const server = await open(echo);
    await server.close();
    const { written, code } = start(small(server.url));
    assert.equal(await code, 1);
    assert.match(written.out, /0 opened, 3 failed\n {2}failed {5}net\.connection_refused: 3\n/);
  });

  it("exits with 2 for an invalid URL, and says why", async () => {
    const { written, code } = start(small("ftp://example.com/"), { columns: 80 });
    assert.equal(await code, 2);
    assert.equal(written.out, "");
    const said = written.err.split(clear).at(-1)!;
    assert.match(said, /^serval: A WebSocket URL begins with .*; see serval bench --help\n$/);
  });

  for (const signal of ["SIGINT", "SIGTERM"]) {
    it(`ends early at ${signal}, still reports, and leaves the next signal to the platform`, async () => {
      let messages = 0;
      await using server = await open({ message: () => void messages++ });
      const { written, signalled, code } = start(small(server.url));
      await until(() => messages === 6);
      signalled.emit(signal);
      assert.deepEqual(signalled.eventNames(), []);
      assert.equal(await code, 0);
      assert.match(written.out, /; ended early\n/);
      assert.match(written.out, /6 sent, 0 received, 0 wrong, 0 lost, 6 not waited for\n/);
    });
  }
});
