import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type ByteStream, type ServalError, type WriteHandler } from "../../../src/core/index.ts";
import { finalBit, opcode } from "../../../src/websocket/frames/frame.ts";
import { Outgoing } from "../../../src/websocket/protocol/outgoing.ts";
import { Writer } from "../../../src/websocket/connection/writer.ts";
import { concat, frame } from "../support/frames.ts";

/** A writer over a next layer whose writes complete when the test says so. */
function make(): {
  writer: Writer;
  outgoing: Outgoing;
  events: string[];
  /** The write in flight. */
  flight: () => { bytes: Uint8Array; done: WriteHandler } | undefined;
  text: (value: string) => number;
} {
  const outgoing = new Outgoing("server");
  const events: string[] = [];
  let flight: { bytes: Uint8Array; done: WriteHandler } | undefined;
  const next = {
    writeSome: (buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler) => {
      if (flight !== undefined) throw coreError("core.operation_pending");
      const done: WriteHandler = (error, count) => {
        flight = undefined;
        handler(error, count);
      };
      flight = { bytes: concat(...(buffers instanceof Uint8Array ? [buffers] : buffers)), done };
    },
  } as ByteStream;
  const writer = new Writer(next, outgoing, {
    wrote: () => void events.push("wrote"),
    lost: (error) => void events.push(`lost ${error.code}`),
  });
  const text = (value: string): number => {
    outgoing.text(finalBit | opcode.text, value);
    return outgoing.queued;
  };
  return { writer, outgoing, events, flight: () => flight, text };
}

const sent = (...values: string[]): Uint8Array =>
  concat(...values.map((value) => frame(opcode.text, value, { key: undefined })));

describe("Writer", () => {
  it("writes all that is queued at once, and while that is in flight nothing", () => {
    const { writer, flight, text, events } = make();
    writer.flush();
    assert.equal(flight(), undefined);
    text("1");
    text("2");
    writer.flush();
    assert.deepEqual(flight()?.bytes, sent("1", "2"));
    text("3");
    writer.flush();
    assert.deepEqual([flight()?.bytes, writer.isIdle], [sent("1", "2"), false]);
    flight()?.done(undefined, 6);
    assert.deepEqual([events, flight(), writer.isIdle], [["wrote"], undefined, false]);
    writer.flush();
    assert.deepEqual(flight()?.bytes, sent("3"));
    flight()?.done(undefined, 3);
    assert.equal(writer.isIdle, true);
  });

  it("goes on behind a short write, and tells who waits in order, each once", () => {
    const { writer, flight, text } = make();
    const told: string[] = [];
    const wait = (position: number, name: string): void =>
      writer.wait(position, (error) => told.push(`${name} ${error?.code ?? "ok"}`));
    wait(text("abc"), "first");
    wait(text("def"), "second");
    wait(3, "early, but came later");
    writer.flush();
    flight()?.done(undefined, 4);
    assert.deepEqual(told, []);
    writer.flush();
    assert.deepEqual(flight()?.bytes, sent("abc", "def").subarray(4));
    flight()?.done(undefined, 1);
    assert.deepEqual(told, ["first ok"]);
    writer.flush();
    flight()?.done(undefined, 5);
    assert.deepEqual(told, ["first ok", "second ok", "early, but came later ok"]);
  });

  it("tells its owner when the next layer fails, or is used by someone else", () => {
    const failing = make();
    failing.text("1");
    failing.writer.flush();
    failing.flight()?.done(coreError("core.connection_reset"), 0);
    assert.deepEqual(failing.events, ["lost core.connection_reset"]);
    const events: string[] = [];
    const outgoing = new Outgoing("server");
    const busy = {
      writeSome: () => {
        throw coreError("core.operation_pending");
      },
    } as unknown as ByteStream;
    outgoing.text(finalBit | opcode.text, "1");
    const owner = { wrote: () => {}, lost: (error: ServalError) => void events.push(error.code) };
    new Writer(busy, outgoing, owner).flush();
    assert.deepEqual(events, ["core.operation_pending"]);
  });

  for (const [name, outcome] of [
    ["success", [undefined, 3]],
    ["failure", [coreError("core.aborted"), 0]],
  ] as [string, [ServalError | undefined, number]][]) {
    it(`after its end it hears nothing of the write in flight, ${name} or not`, () => {
      const { writer, outgoing, flight, text, events } = make();
      const told: (string | undefined)[] = [];
      writer.wait(text("1"), (error) => told.push(error?.code));
      writer.flush();
      writer.end(() => coreError("core.aborted"));
      assert.deepEqual([told, outgoing.bufferedAmount], [["core.aborted"], 0]);
      flight()?.done(...outcome);
      writer.flush();
      assert.deepEqual([events, told.length, outgoing.bufferedAmount, flight()], [[], 1, 0, undefined]);
    });
  }
});

describe("a Writer whose next layer breaks the contract, or takes little", () => {
  it("takes a second completion of the same write for nothing", () => {
    const { writer, outgoing, flight, text } = make();
    text("1");
    writer.flush();
    const { done } = flight()!;
    done(undefined, 3);
    done(undefined, 3);
    assert.deepEqual([outgoing.written, writer.isIdle], [3, true]);
  });

  it("settles many who wait, one at a time, in order, and those behind at the end", () => {
    const { writer, flight, text } = make();
    const settled: string[] = [];
    for (let i = 0; i < 100; i++) writer.wait(text("x"), (error) => settled.push(error?.code ?? String(i)));
    writer.flush();
    for (let i = 0; i < 60; i++) {
      flight()!.done(undefined, 3);
      assert.equal(settled.length, i + 1);
      writer.flush();
    }
    writer.end(() => coreError("core.aborted"));
    const numbers = Array.from({ length: 60 }, (_, i) => String(i));
    assert.deepEqual(settled, [...numbers, ...Array.from({ length: 40 }, () => "core.aborted")]);
  });
});
