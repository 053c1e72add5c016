import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler } from "../../../src/core/index.ts";
import { websocketError } from "../../../src/websocket/frames/errors.ts";
import { MessageIterator } from "../../../src/websocket/operations/message-iterator.ts";
import type { MessageData } from "../../../src/websocket/options/handlers.ts";
import { codeOf } from "../support/kit.ts";
import { quiet } from "../../support/quiet.ts";

/** An iterator over messages that have arrived, and then over what the pending read is completed with. */
class Reads {
  readonly arrived: MessageData[] = [];
  pending: Handler<MessageData> | undefined;
  readonly messages: MessageIterator = new MessageIterator(
    () => (this.pending === undefined ? this.arrived.shift() : undefined),
    (done) => {
      if (this.pending !== undefined) throw coreError("core.operation_pending");
      this.pending = done;
    },
  );

  complete(...outcome: Parameters<Handler<MessageData>>): void {
    const done = this.pending!;
    this.pending = undefined;
    done(...outcome);
  }
}

const clean = websocketError("websocket.closed", { close: { code: 1000, reason: "", clean: true } });
const unclean = websocketError("websocket.closed", { close: { code: 1006, reason: "", clean: false } });

describe("an iterator over messages", () => {
  it("takes what has arrived without a read, also an empty text, and then waits for more", async () => {
    const reads = new Reads();
    reads.arrived.push("1", "");
    const { messages } = reads;
    assert.deepEqual(await messages.next(), { done: false, value: "1" });
    assert.deepEqual(await messages.next(), { done: false, value: "" });
    assert.equal(reads.pending, undefined);
    const third = messages.next();
    reads.complete(undefined, "3");
    assert.deepEqual(await third, { done: false, value: "3" });
  });

  it("ends after a clean close, and throws the error of any other end", async () => {
    const reads = new Reads();
    const last = reads.messages.next();
    reads.complete(clean, "");
    assert.deepEqual(await last, { done: true, value: undefined });
    const failed = reads.messages.next();
    reads.complete(unclean, "");
    await assert.rejects(failed, unclean);
  });

  it("a second read while one is pending fails, and the first one goes on", async () => {
    const reads = new Reads();
    const first = reads.messages.next();
    assert.equal(await codeOf(reads.messages.next()), "core.operation_pending");
    reads.complete(undefined, "1");
    assert.deepEqual(await first, { done: false, value: "1" });
  });

  it("a failure that nothing awaits ends no process", async (t) => {
    const seen: unknown[] = [];
    const note = (reason: unknown): void => void seen.push(reason);
    process.on("unhandledRejection", note);
    t.after(() => process.off("unhandledRejection", note));
    const reads = new Reads();
    void reads.messages.next();
    void reads.messages.next();
    reads.complete(unclean, "");
    await quiet();
    assert.deepEqual(seen, []);
  });

  it("leaving the loop reads nothing more", async () => {
    const reads = new Reads();
    reads.arrived.push("1", "2");
    for await (const message of reads.messages) {
      assert.equal(message, "1");
      break;
    }
    assert.deepEqual([reads.arrived, reads.pending], [["2"], undefined]);
  });
});
