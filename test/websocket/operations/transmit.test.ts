import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler, type ServalError } from "../../../src/core/index.ts";
import { Item } from "../../../src/websocket/connection/item.ts";
import type { Queued } from "../../../src/websocket/connection/item.ts";
import { currentContext } from "../../../src/core/internal.ts";
import { writeOptions } from "../../../src/websocket/options/of-operations.ts";
import { transmit } from "../../../src/websocket/operations/transmit.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";

/** A session that has written as far as `written`. */
class Writes {
  written = 0;
  readonly waiting: [position: number, handler: Handler][] = [];
  readonly givenUp: [item: Item, code: number][] = [];
  readonly context = currentContext();
  readonly failures: unknown[] = [];

  resumed(thrown?: ServalError): void {
    this.failures.push(thrown?.cause);
  }

  hasWritten(position: number): boolean {
    return position <= this.written;
  }

  waitWritten(position: number, handler: Handler): void {
    this.waiting.push([position, handler]);
  }

  giveUp(item: Item, code: number): void {
    this.givenUp.push([item, code]);
  }
}

/** What an operation came to, with a handler and without. */
function run(
  queued: Queued | (() => Queued),
  { session = new Writes(), signal }: { session?: Writes; signal?: AbortSignal } = {},
): { session: Writes; promise: Promise<void>; seen: unknown[]; queues: number } {
  const state = { session, seen: [] as unknown[], queues: 0, promise: undefined as unknown as Promise<void> };
  const queue = (): Queued => {
    state.queues++;
    return typeof queued === "function" ? queued() : queued;
  };
  state.promise = transmit(session, writeOptions, [{ signal }], queue) as Promise<void>;
  const completed: Handler = (error) => void state.seen.push(error?.code ?? "done");
  const result = transmit(session, writeOptions, [{ signal }, completed], queue);
  assert.equal(result, undefined);
  assert.deepEqual(state.seen, [], "completed inside the call");
  return state;
}

describe("transmit", () => {
  it("with nothing to wait for it completes at once, with the same promise for all", async () => {
    const { promise, seen, queues } = run(0);
    assert.equal(promise, run(-5).promise);
    assert.equal(await promise, undefined);
    assert.deepEqual([seen, queues], [["done"], 2]);
  });

  it("waits for a position", async () => {
    const { session, promise, seen } = run(7);
    assert.deepEqual(
      session.waiting.map(([position]) => position),
      [7, 7],
    );
    assert.equal(await codeOf(promise), "pending");
    for (const [, handler] of session.waiting) handler(undefined);
    assert.deepEqual([await codeOf(promise), seen], [undefined, ["done"]]);
  });

  it("waits for an item, and fails with it", async () => {
    for (const error of [undefined, coreError("core.connection_reset")]) {
      const items: Item[] = [];
      const { promise, seen } = run(() => items[items.push(new Item(1)) - 1]);
      assert.equal(await codeOf(promise), "pending");
      for (const item of items) item.handler!(error);
      assert.deepEqual([await codeOf(promise), seen], [error?.code, [error?.code ?? "done"]]);
    }
  });

  it("an error of queueing is the outcome, not misuse", async () => {
    const { promise, seen } = run(coreError("core.connection_reset"));
    assert.deepEqual([await codeOf(promise), seen], ["core.connection_reset", ["core.connection_reset"]]);
  });

  it("misuse rejects, and with a handler throws: also an error instead of the session", async () => {
    const wrong = coreError("core.invalid_argument");
    const throwing = (): never => {
      throw wrong;
    };
    const never = (): void => assert.fail("was called");
    const session = new Writes();
    const wrongly: [connection: Writes | ServalError, given: unknown[], queue: () => Queued][] = [
      [session, [], throwing],
      [wrong, [], () => 0],
      [session, ["x"], () => assert.fail("was queued")],
      [session, [{ singal: 1 }], () => assert.fail("was queued")],
      [session, [{ signal: 1 }], () => assert.fail("was queued")],
    ];
    for (const [connection, given, queue] of wrongly) {
      assert.equal(await codeOf(transmit(connection, writeOptions, given, queue)!), "core.invalid_argument");
      const withHandler = given.length === 0 ? [never] : [...given, never];
      assert.throws(() => transmit(connection, writeOptions, withHandler, queue), { code: "core.invalid_argument" });
    }
    assert.equal(await codeOf(transmit(session, writeOptions, [{}, "x"], () => 0)!), "core.invalid_argument");
    await quiet();
    assert.deepEqual(session.failures, []);
  });
});

describe("transmit with a signal", () => {
  it("that has aborted queues nothing", async () => {
    const { promise, seen, queues } = run(0, { signal: AbortSignal.abort() });
    assert.deepEqual([await codeOf(promise), seen, queues], ["core.aborted", ["core.aborted"], 0]);
  });

  it("aborts the wait, and gives up the message, once", async () => {
    const controller = new AbortController();
    const items: Item[] = [];
    const { session, promise, seen } = run(() => items[items.push(new Item(1)) - 1], { signal: controller.signal });
    controller.abort("enough");
    assert.deepEqual(seen, [], "completed inside the abort");
    assert.equal(await codeOf(promise), "core.aborted");
    assert.deepEqual(
      [seen, session.givenUp],
      [
        ["core.aborted"],
        [
          [items[0], 1011],
          [items[1], 1011],
        ],
      ],
    );
    for (const item of items) item.handler!(undefined);
    await quiet();
    assert.deepEqual(seen, ["core.aborted"], "told twice");
  });

  it("aborts waiting for a position too, and gives up nothing", async () => {
    const controller = new AbortController();
    const { session, promise, seen } = run(7, { signal: controller.signal });
    controller.abort();
    assert.deepEqual([await codeOf(promise), seen, session.givenUp], ["core.aborted", ["core.aborted"], []]);
    for (const [, handler] of session.waiting) handler(undefined);
    assert.equal(seen.length, 1);
  });

  it("is too late once it is written, and leaves no listener", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => void listeners++;
    signal.removeEventListener = () => void listeners--;
    const { session, promise } = run(7, { signal });
    assert.equal(listeners, 1, "one listener for all");
    for (const [, handler] of session.waiting) handler(undefined);
    assert.deepEqual([await codeOf(promise), listeners], [undefined, 0]);
  });
});
