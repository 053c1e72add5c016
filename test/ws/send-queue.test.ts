import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "node:test";
import { SendQueue, type Step } from "../../src/ws/send-queue.ts";

function queue(isGone = false): {
  queue: SendQueue;
  log: string[];
  add(name: string, prepared?: Promise<Uint8Array>): void;
} {
  const log: string[] = [];
  const made = new SendQueue(
    () => isGone,
    (error) => log.push(`error ${error.message}`),
  );
  const add = (name: string, prepared?: Promise<Uint8Array>): void => {
    const step: Step = {
      size: name.length,
      prepare: prepared && (() => prepared),
      doing: "the blob was being read",
      send: (bytes) => log.push(bytes === undefined ? name : `${name} ${bytes.length}`),
      fail: (error) => log.push(`${name}: ${error.message}`),
    };
    made.add(step);
  };
  return { queue: made, log, add };
}

describe("SendQueue", () => {
  it("sends at once while nothing waits", () => {
    const { queue: made, log, add } = queue();
    add("a");
    assert.deepEqual([log, made.isBusy, made.bytes], [["a"], false, 0]);
  });

  it("keeps the order of the calls, and counts what waits", async () => {
    const { queue: made, log, add } = queue();
    let resolve!: (bytes: Uint8Array) => void;
    add("blob", new Promise((each) => (resolve = each)));
    add("text");
    add("other", Promise.resolve(new Uint8Array(1)));
    add("end");
    assert.deepEqual([log, made.isBusy, made.bytes], [[], true, 16]);
    resolve(new Uint8Array(3));
    await turn();
    assert.deepEqual(log, ["blob 3", "text", "other 1", "end"]);
    assert.deepEqual([made.isBusy, made.bytes], [false, 0]);
  });

  it("fails all that waits if something can't be prepared, and then says so", async () => {
    const { log, add } = queue();
    add("blob", Promise.reject(new Error("unreadable")));
    add("text");
    await turn();
    assert.deepEqual(log, ["blob: unreadable", "text: unreadable", "error unreadable"]);
  });

  it("fails all that waits if nothing can be sent any more when something is prepared", async () => {
    const { log, add } = queue(true);
    add("blob", Promise.resolve(new Uint8Array(1)));
    add("text");
    await turn();
    const message = "The socket was closed while the blob was being read";
    assert.deepEqual(log, [`blob: ${message}`, `text: ${message}`]);
  });
});
