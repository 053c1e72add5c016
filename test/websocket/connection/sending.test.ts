import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type ByteStream, type ServalError } from "../../../src/core/index.ts";
import { currentContext } from "../../../src/core/internal.ts";
import { giveBackChunk, takeChunk } from "../../../src/core/internal.ts";
import { Connection } from "../../../src/websocket/connection/connection.ts";
import { opcode } from "../../../src/websocket/frames/frame.ts";
import { Settings } from "../../../src/websocket/options/settings.ts";
import { concat, frame } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { Sending } from "../support/sending.ts";

const sent = (...values: string[]): Uint8Array =>
  concat(...values.map((value) => frame(opcode.text, value, { key: undefined })));

/** How many parts of the shared block are in use. */
function chunksInUse(): number {
  const block = takeChunk(1);
  giveBackChunk(block);
  return block.chunks;
}

/** The write in flight. */
const inFlight = (sending: Sending): Sending["flight"] => sending.flight;

/** Sends a text; how far writing must come for all of it to have left. */
function text(sending: Sending, value: string): number {
  sending.connection.send(opcode.text, value, false);
  return sending.outgoing.queued;
}

describe("writing", () => {
  it("takes all that is queued at once, and starts no second write while one is in flight", () => {
    const sending = new Sending();
    const { connection } = sending;
    connection.flush();
    assert.ok(inFlight(sending) === undefined);
    text(sending, "1");
    text(sending, "2");
    connection.flush();
    assert.deepEqual(inFlight(sending)?.bytes, sent("1", "2"));
    text(sending, "3");
    connection.flush();
    assert.deepEqual([inFlight(sending)?.bytes, connection.isWriting], [sent("1", "2"), true]);
    inFlight(sending)!.done(undefined, 6);
    assert.deepEqual(inFlight(sending)?.bytes, sent("3"));
    inFlight(sending)!.done(undefined, 3);
    assert.deepEqual([connection.isWriting, inFlight(sending)], [false, undefined]);
  });

  it("goes on after a short write, and tells the writers in order, each once", () => {
    const sending = new Sending();
    const told: string[] = [];
    const wait = (position: number, name: string): void =>
      sending.connection.waitWritten(position, (error) => told.push(`${name} ${error?.code ?? "ok"}`));
    wait(text(sending, "abc"), "first");
    wait(text(sending, "def"), "second");
    wait(3, "early, but came later");
    sending.leave(4);
    assert.deepEqual(told, []);
    assert.deepEqual(inFlight(sending)?.bytes, sent("abc", "def").subarray(4));
    sending.leave(1);
    assert.deepEqual(told, ["first ok"]);
    sending.leave(5);
    assert.deepEqual(told, ["first ok", "second ok", "early, but came later ok"]);
  });

  it("ends the connection when the next layer fails, or is used by someone else", async () => {
    const failing = new Sending();
    text(failing, "1");
    failing.connection.flush();
    failing.flight!.done(coreError("core.connection_reset"), 0);
    await quiet();
    assert.deepEqual([failing.errors, failing.isClosed], [["core.connection_reset"], true]);
    const errors: string[] = [];
    const busy = {
      writeSome: () => {
        throw coreError("core.operation_pending");
      },
      close() {},
    } as unknown as ByteStream;
    const settings = new Settings<undefined>({ error: (_, { code }) => void errors.push(code) });
    const connection = new Connection(
      undefined,
      busy,
      { role: "server", deflate: undefined, context: currentContext() },
      settings,
      () => {},
    );
    connection.send(opcode.text, "1", false);
    connection.flush();
    await quiet();
    assert.deepEqual(errors, ["core.operation_pending"]);
  });

  for (const [name, outcome] of [
    ["success", [undefined, 3]],
    ["failure", [coreError("core.aborted"), 0]],
  ] as [string, [ServalError | undefined, number]][]) {
    it(`hears nothing of the write in flight after the end, ${name} or not`, async () => {
      const sending = new Sending();
      const told: (string | undefined)[] = [];
      sending.connection.waitWritten(text(sending, "1"), (error) => told.push(error?.code));
      sending.connection.flush();
      sending.connection.lost(coreError("core.aborted"));
      await quiet();
      assert.deepEqual([told, sending.outgoing.bufferedAmount], [["core.aborted"], 0]);
      inFlight(sending)!.done(...outcome);
      sending.connection.flush();
      assert.deepEqual([told.length, sending.outgoing.bufferedAmount, inFlight(sending)], [1, 0, undefined]);
    });
  }

  for (const order of ["the write fails", "the connection ends first, then the write fails"]) {
    it(`gives back its part of the shared block: ${order}`, async () => {
      const before = chunksInUse();
      const sending = new Sending();
      text(sending, "1");
      sending.connection.flush();
      text(sending, "2");
      assert.equal(chunksInUse(), before + 2);
      if (order !== "the write fails") {
        sending.connection.lost(coreError("core.aborted"));
        await quiet();
        assert.equal(chunksInUse(), before + 1, "the layer below may still read what is in flight");
      }
      sending.flight!.done(coreError("core.connection_reset"), 0);
      await quiet();
      assert.equal(chunksInUse(), before);
    });
  }

  it("takes a second completion of the same write for nothing", () => {
    const sending = new Sending();
    text(sending, "1");
    sending.connection.flush();
    const { done } = inFlight(sending)!;
    done(undefined, 3);
    done(undefined, 3);
    assert.deepEqual([sending.outgoing.written, sending.connection.isWriting], [3, false]);
  });

  it("settles many writers, one at a time, in order, and the others at the end", async () => {
    const sending = new Sending();
    const settled: string[] = [];
    for (let i = 0; i < 100; i++) {
      sending.connection.waitWritten(text(sending, "x"), (error) => settled.push(error?.code ?? String(i)));
    }
    for (let i = 0; i < 60; i++) {
      sending.leave(3);
      assert.equal(settled.length, i + 1);
    }
    sending.connection.lost(coreError("core.aborted"));
    await quiet();
    const numbers = Array.from({ length: 60 }, (_, i) => String(i));
    assert.deepEqual(settled, [...numbers, ...Array.from({ length: 40 }, () => "core.aborted")]);
  });
});
