import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../../src/core/index.ts";
import type { Inflater } from "../../../../src/websocket/deflate/deflate.ts";
import type { WebsocketCode } from "../../../../src/websocket/frames/errors.ts";
import type { HandlersOf } from "../../../../src/websocket/options/handlers.ts";
import { binary, frame, ping, pong, text } from "../../support/frames.ts";
import { ManualReads } from "../../support/manual-reads.ts";
import { deferred, quiet } from "../../../support/quiet.ts";

/** A connection whose reads complete when the test says so, with what it hands to the application written down. */
class Receiving extends ManualReads {
  readonly told: string[];
  /** What the message comes to that is being inflated; undefined while that goes on. */
  result: Uint8Array | WebsocketCode | undefined;

  constructor(handlers: HandlersOf<undefined> = {}) {
    const told: string[] = [];
    super({
      control: (_, kind, payload) => void told.push(`${kind} ${String(Buffer.from(payload))}`),
      error: (_, { code }) => void told.push(`error ${code}`),
      ...handlers,
    });
    this.told = told;
    const inflater = {
      isAlone: false,
      takeCost: () => 0,
      inflateAside() {},
      inflate() {},
      inflateOn: () => this.result,
      close() {},
    };
    Object.assign(this.connection.protocol.incoming, { inflater: inflater as unknown as Inflater });
  }

  static start(handlers?: HandlersOf<undefined>): Promise<Receiving> {
    return new Receiving(handlers).begin();
  }

  /** Ends the inflating. */
  async inflated(result: Uint8Array | WebsocketCode): Promise<void> {
    this.result = result;
    await quiet();
  }

  /** Takes what comes with these frames; whether it reads on. */
  async receive(...frames: Uint8Array[]): Promise<boolean> {
    this.deliver(...frames);
    await quiet();
    return this.connection.isReading;
  }

  /** Reads; what comes of it is written down. */
  read(): (error: ServalError | undefined, result: unknown) => void {
    const handler = (error: ServalError | undefined, result: unknown): void =>
      void this.told.push(error === undefined ? `read ${String(result)}` : `failed ${error.code}`);
    this.connection.read(handler);
    return handler;
  }

  readSome(): void {
    this.connection.readSome((error, { bytes, kind, done }) => {
      assert.equal(error, undefined);
      this.told.push(`read ${kind} ${String(Buffer.from(bytes))}${done ? "" : " …"}`);
    });
  }
}

describe("a turn, pulled", () => {
  it("takes only control frames until a read, and then one message", async () => {
    const state = await Receiving.start();
    assert.equal(await state.receive(ping("a"), text("1"), text("2")), false);
    assert.deepEqual(state.told, ["ping a"]);
    assert.equal(state.connection.statistics.pauses, 1);
    for (const message of ["1", "2"]) {
      state.told.length = 0;
      state.read();
      assert.deepEqual(state.told, [], "inside the call");
      await quiet();
      assert.deepEqual(state.told, [`read ${message}`]);
    }
    assert.equal(state.connection.isReading, true);
    assert.equal(state.connection.statistics.pauses, 1);
  });

  it("gives parts to a reader of parts, and no message while one is under way", async () => {
    const state = await Receiving.start();
    state.readSome();
    await state.receive(binary("ab", { fin: false }));
    assert.throws(() => state.read(), { code: "websocket.message_in_progress" });
    state.readSome();
    await state.receive(frame(0, "c"));
    assert.deepEqual(state.told, ["read binary ab …", "read binary c"]);
  });

  it("has one reader at a time, which may abort and lose nothing", async () => {
    const state = await Receiving.start();
    const first = state.read();
    assert.throws(() => state.read(), { code: "core.operation_pending" });
    assert.equal(state.connection.cancelRead(first), true);
    assert.equal(state.connection.cancelRead(first), false);
    await state.receive(text("1"));
    assert.deepEqual(state.told, []);
    state.read();
    await quiet();
    assert.deepEqual(state.told, ["read 1"]);
  });
});

describe("a turn, pushed", () => {
  it("delivers message after message, and refuses reads", async () => {
    const told: string[] = [];
    const state = await Receiving.start({
      message: (_, message) => void told.push(String(message)),
      control: (_, kind) => void told.push(kind),
    });
    assert.equal(await state.receive(text("1"), pong("p"), text("2")), true);
    assert.deepEqual(told, ["1", "pong", "2"]);
    assert.throws(() => state.read(), { code: "websocket.pushed" });
  });

  it("takes no message while the handler runs", async () => {
    const { promise, resolve } = deferred();
    const told: string[] = [];
    const state = await Receiving.start({
      message: (_, message) => (told.push(String(message)), promise),
    });
    assert.equal(await state.receive(text("1"), text("2"), ping("a")), false);
    assert.deepEqual([told, state.told, state.connection.statistics.pauses], [["1"], [], 1]);
    resolve();
    await quiet();
    assert.deepEqual([told, state.told, state.connection.isReading], [["1", "2"], ["ping a"], true]);
  });

  it("reports the peer's violation to the application, and takes nothing more", async () => {
    const state = await Receiving.start({ message() {} });
    await state.receive(frame(3), ping("a"));
    assert.deepEqual(state.told, ["error websocket.bad_opcode"]);
  });
});

describe("a turn, while a message is inflated in steps", () => {
  const deflated = text("deflated", { rsv: 4 });

  it("takes nothing of what comes after it", async () => {
    const state = await Receiving.start();
    state.read();
    assert.equal(await state.receive(deflated, text("2")), false);
    await state.inflated(Buffer.from("1"));
    assert.deepEqual(state.told, ["read 1"]);
    state.read();
    await quiet();
    assert.deepEqual(state.told, ["read 1", "read 2"]);
  });

  it("keeps it for the next reader if its own has aborted, also in parts", async () => {
    const state = await Receiving.start();
    const first = state.read();
    await state.receive(deflated, ping("after"));
    state.connection.cancelRead(first);
    await state.inflated(Buffer.from("1"));
    assert.deepEqual(state.told, []);
    state.readSome();
    await quiet();
    assert.deepEqual(state.told, ["read text 1", "ping after"]);
  });

  it("drops it after our close, and reports nothing after the end", async () => {
    for (const end of ["close", "lost"] as const) {
      const state = await Receiving.start();
      const first = state.read();
      await state.receive(deflated);
      state.connection.cancelRead(first);
      if (end === "close") state.connection.close(1000, "");
      else state.connection.lost(state.connection.closedError());
      await quiet();
      const before = state.told.length;
      await state.inflated(Buffer.from("1"));
      assert.equal(state.told.length, before);
      assert.equal(state.connection.statistics.messagesReceived, 0);
    }
  });

  it("fails if it could not be", async () => {
    const state = await Receiving.start();
    state.read();
    await state.receive(deflated);
    await state.inflated("websocket.message_too_big");
    assert.equal(state.told[0], "error websocket.message_too_big");
  });
});

it("takes no more events while 16 handlers of control are at work, but closes all the same", async () => {
  let started = 0;
  const done: (() => void)[] = [];
  const state = await Receiving.start({
    message() {},
    control() {
      started++;
      return new Promise<void>((resolve) => void done.push(resolve));
    },
  });
  assert.equal(await state.receive(...Array.from({ length: 100 }, () => ping())), false);
  assert.equal(started, 16);
  done.splice(0, 4).forEach((settle) => settle());
  await quiet();
  assert.equal(started, 20);
  while (done.length > 0) {
    done.splice(0).forEach((settle) => settle());
    await quiet();
  }
  assert.deepEqual([started, state.connection.isReading], [100, true]);
  await state.receive(...Array.from({ length: 30 }, () => ping()));
  assert.equal(started, 116);
  state.connection.close(1000, "");
  await quiet();
  assert.equal(started, 130, "what leads to the peer's close is taken");
});
