import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { closeOnSignal } from "../../src/cli/close-on-signal.ts";

describe("closeOnSignal", () => {
  /** A server that counts how often it is closed, and a process to signal. */
  function start(connections: number) {
    const server = { connections, closed: 0, close: async () => void server.closed++ };
    const signalled = new EventEmitter();
    let said = "";
    const done = closeOnSignal(server, { out: assert.fail, err: (text) => void (said += text) }, signalled);
    return { server, signalled, done, said: () => said };
  }

  for (const signal of ["SIGINT", "SIGTERM"]) {
    it(`closes the server at ${signal}, and leaves the next signal to the platform`, async () => {
      const { server, signalled, done } = start(0);
      assert.equal(server.closed, 0);
      signalled.emit(signal);
      assert.equal(signalled.listenerCount("SIGINT") + signalled.listenerCount("SIGTERM"), 0);
      await done;
      assert.equal(server.closed, 1);
    });
  }

  for (const [connections, words] of [
    [0, ""],
    [1, "serval: closing 1 connection, for at most 5 s; Ctrl-C stops at once\n"],
    [2, "serval: closing 2 connections, for at most 5 s; Ctrl-C stops at once\n"],
  ] as const) {
    it(`says of ${connections} connections what it waits for`, async () => {
      const { signalled, done, said } = start(connections);
      assert.equal(said(), "");
      signalled.emit("SIGTERM");
      await done;
      assert.equal(said(), words);
    });
  }
});
