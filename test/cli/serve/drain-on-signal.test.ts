import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import type { DrainOptions } from "../../../src/server/index.ts";
import { drainOnSignal } from "../../../src/cli/serve/drain-on-signal.ts";

describe("drainOnSignal", () => {
  /** A server that counts how often it is drained, and a process to signal. */
  function start(connections: number, terminated = 0) {
    const server = {
      connections,
      timeouts: [] as unknown[],
      async drain(options?: DrainOptions) {
        server.timeouts.push(options?.timeout);
        return { closed: connections - terminated, lost: 0, terminated, finished: 0, cut: 0, duration: 1 };
      },
    };
    const signalled = new EventEmitter();
    let said = "";
    const done = drainOnSignal(server, { out: assert.fail, err: (text) => void (said += text) }, signalled);
    return { server, signalled, done, said: () => said };
  }

  for (const signal of ["SIGINT", "SIGTERM"]) {
    it(`drains the server at ${signal}, and leaves the next signal to the platform`, async () => {
      const { server, signalled, done } = start(0);
      assert.deepEqual(server.timeouts, []);
      signalled.emit(signal);
      assert.equal(signalled.listenerCount("SIGINT") + signalled.listenerCount("SIGTERM"), 0);
      await done;
      assert.deepEqual(server.timeouts, [5000]);
    });
  }

  for (const [connections, words] of [
    [0, ""],
    [1, "serval: closing 1 connection, for at most 5 s; Ctrl-C stops at once\n"],
    [2, "serval: closing 2 connections, for at most 5 s; Ctrl-C stops at once\n"],
  ] as const) {
    it(`says that it waits for ${connections} connections`, async () => {
      const { signalled, done, said } = start(connections);
      assert.equal(said(), "");
      signalled.emit("SIGTERM");
      await done;
      assert.equal(said(), words);
    });
  }

  for (const [terminated, words] of [
    [1, "serval: 1 of them did not close in time and was cut off\n"],
    [2, "serval: 2 of them did not close in time and were cut off\n"],
  ] as const) {
    it(`says that ${terminated} had to be cut off`, async () => {
      const { signalled, done, said } = start(3, terminated);
      signalled.emit("SIGINT");
      await done;
      assert.ok(said().endsWith(words));
    });
  }
});
