import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler, type ServalError } from "../../../src/core/index.ts";
import type { MessageData } from "../../../src/websocket/index.ts";
import { receive } from "../../../src/websocket/operations/receive.ts";
import type { ReceivedPart } from "../../../src/websocket/connection/delivery.ts";
import { quiet } from "../../support/quiet.ts";

/** A connection of which one thing can be read at a time. */
class Reads {
  reader: Handler<never> | undefined;
  what = "";

  readonly read = (handler: Handler<MessageData>): void => this.#start("message", handler);
  readonly readSome = (handler: Handler<ReceivedPart>): void => this.#start("part", handler);

  cancelRead(handler: unknown): boolean {
    if (this.reader !== handler) return false;
    this.reader = undefined;
    return true;
  }

  give(value: unknown, error?: ServalError): void {
    const { reader } = this;
    this.reader = undefined;
    reader?.(error, value as never);
  }

  part(done: boolean): void {
    assert.equal(this.what, "part");
    this.give({ bytes: new Uint8Array(1), kind: "binary", done });
  }

  #start(what: string, handler: Handler<never>): void {
    if (this.reader !== undefined) throw coreError("core.operation_pending");
    this.what = what;
    this.reader = handler;
  }
}

/** Receives a message; what it came to is noted. */
function run(skips: boolean, signal?: AbortSignal, connection = new Reads()): { connection: Reads; seen: unknown[] } {
  const seen: unknown[] = [];
  receive<MessageData>(
    connection,
    { skips, signal },
    (handler) => connection.read(handler),
    (error, value) => seen.push(error?.code ?? value),
  );
  return { connection, seen };
}

describe("receive", () => {
  it("without options it is the connection's own read", () => {
    const connection = new Reads();
    const done = (): void => {};
    receive(connection, { skips: false, signal: undefined }, (handler) => connection.read(handler), done);
    assert.equal(connection.reader, done);
  });

  it("skips the rest of a message, then receives", () => {
    const { connection, seen } = run(true);
    for (const done of [false, false, true]) connection.part(done);
    assert.deepEqual([connection.what, seen], ["message", []]);
    connection.give("next");
    assert.deepEqual(seen, ["next"]);
  });

  it("fails if skipping does, and receives nothing", () => {
    const { connection, seen } = run(true);
    connection.part(false);
    connection.give(undefined, coreError("core.connection_reset"));
    assert.deepEqual([seen, connection.reader], [["core.connection_reset"], undefined]);
  });

  it("the signal aborts it, outside of the abort call, at every step, and the connection's read with it", async () => {
    for (const steps of [0, 1, 2, 3]) {
      const controller = new AbortController();
      const { connection, seen } = run(true, controller.signal);
      for (let i = 0; i < steps; i++) connection.part(i === 2);
      controller.abort("enough");
      assert.deepEqual([connection.reader, seen], [undefined, []]);
      await quiet();
      assert.deepEqual(seen, ["core.aborted"]);
    }
  });

  it("the signal is too late after the message, and has no listener any more", async () => {
    for (const outcome of ["value", "error"]) {
      const controller = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = controller.signal;
      controller.signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
        listeners++;
        addEventListener.apply(controller.signal, given);
      };
      controller.signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
        listeners--;
        removeEventListener.apply(controller.signal, given);
      };
      const { connection, seen } = run(false, controller.signal);
      assert.equal(listeners, 1);
      connection.give("a", outcome === "error" ? coreError("core.connection_reset") : undefined);
      assert.equal(listeners, 0);
      controller.abort();
      await quiet();
      assert.deepEqual(seen, [outcome === "error" ? "core.connection_reset" : "a"]);
    }
  });

  it("a signal that has aborted before reads nothing", async () => {
    for (const skips of [true, false]) {
      const { connection, seen } = run(skips, AbortSignal.abort());
      assert.deepEqual([connection.reader, seen], [undefined, []]);
      await quiet();
      assert.deepEqual(seen, ["core.aborted"]);
    }
  });

  it("misuse throws, and leaves the read in flight and the signal alone", () => {
    const busy = new Reads();
    const first = (): void => {};
    busy.read(first);
    const controller = new AbortController();
    for (const skips of [true, false]) {
      assert.throws(() => run(skips, controller.signal, busy), { code: "core.operation_pending" });
    }
    controller.abort();
    assert.equal(busy.reader, first);
  });

  it("aborts the handler that was passed instead of its own", async () => {
    const connection = new Reads();
    const controller = new AbortController();
    const seen: unknown[] = [];
    receive<string>(
      connection,
      { skips: false, signal: controller.signal },
      (handler) => {
        const other: Handler<MessageData> = (error, value) => handler(error, `<${String(value)}>`);
        connection.read(other);
        return other;
      },
      (error, value) => seen.push(error?.code ?? value),
    );
    controller.abort();
    assert.equal(connection.reader, undefined);
    await quiet();
    assert.deepEqual(seen, ["core.aborted"]);
  });
});
