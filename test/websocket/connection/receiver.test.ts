import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type ServalError } from "../../../src/core/index.ts";
import type { Application } from "../../../src/websocket/connection/application.ts";
import { Receiver } from "../../../src/websocket/connection/receiver.ts";
import type { WebsocketCode } from "../../../src/websocket/frames/errors.ts";
import type { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import type { ControlKind, MessageData } from "../../../src/websocket/options/handlers.ts";
import { take, type Take } from "../../../src/websocket/protocol/event.ts";
import { Protocol } from "../../../src/websocket/protocol/protocol.ts";
import { binary, concat, frame, ping, pong, text } from "../support/frames.ts";

/** A receiver, with what it asks of its session and of the application written down. */
class Receiving {
  readonly told: string[] = [];
  readonly application = { isPushed: false, isBusy: false };
  readonly owner = { isOver: false, isClosing: false };
  /** Ends the inflating that goes on elsewhere. */
  inflated: ((result: Uint8Array | WebsocketCode) => void) | undefined;
  readonly protocol: Protocol;
  readonly receiver: Receiver<undefined>;

  constructor() {
    const { told, application, owner } = this;
    const inflater = {
      inflateAside() {},
      inflate() {},
      inflateLater: (_: Uint8Array, __: number, done: (result: Uint8Array | WebsocketCode) => void) =>
        void (this.inflated = done),
    } as unknown as Inflater;
    const limits = { maxMessageSize: 1000, maxFragments: 100, text: "string", highWaterMark: 100 } as const;
    this.protocol = new Protocol("server", limits, inflater);
    Object.assign(application, {
      message: (message: MessageData) => told.push(`message ${String(message)}`),
      control: (kind: ControlKind, payload: Uint8Array) => told.push(`${kind} ${String(Buffer.from(payload))}`),
    });
    Object.assign(owner, {
      closedError: () => coreError("core.aborted"),
      turnSoon: () => told.push("turn"),
      received: (message: MessageData) => told.push(`received ${String(message)}`),
      ponged: () => told.push("ponged"),
      violated: ({ code }: ServalError) => told.push(`violated ${code}`),
    });
    this.receiver = new Receiver(
      this.protocol,
      application as unknown as Application<undefined>,
      inflater,
      owner as unknown as ConstructorParameters<typeof Receiver>[3],
    );
  }

  /** Takes what comes with these frames; whether more bytes are needed. */
  receive(...frames: Uint8Array[]): boolean {
    this.protocol.incoming.receive(concat(...frames));
    const wantsMore = this.receiver.take();
    this.protocol.incoming.retain();
    return wantsMore;
  }

  /** Reads; what comes of it is written down. */
  read(taking: Take = take.message): (error: ServalError | undefined, result: unknown) => void {
    const handler = (error: ServalError | undefined, result: unknown): void => {
      const part = result as { bytes: Uint8Array; kind: string; done: boolean };
      if (error !== undefined) this.told.push(`failed ${error.code}`);
      else if (typeof result === "string") this.told.push(`read ${result}`);
      else this.told.push(`read ${part.kind} ${String(Buffer.from(part.bytes))}${part.done ? "" : " …"}`);
    };
    this.receiver.read(taking, handler);
    return handler;
  }
}

describe("Receiver, pulled", () => {
  it("takes nothing but control frames until someone reads, and then one message", () => {
    const state = new Receiving();
    assert.equal(state.receive(ping("a"), text("1"), text("2")), false);
    assert.deepEqual(state.told, ["ping a"]);
    assert.equal(state.receiver.pauses, 1);
    for (const message of ["1", "2"]) {
      state.told.length = 0;
      state.read();
      assert.equal(state.receiver.take(), false);
      assert.deepEqual(state.told, [`received ${message}`, `read ${message}`, "turn"]);
    }
    assert.equal(state.receiver.take(), true);
    assert.equal(state.receiver.pauses, 1);
  });

  it("gives parts to a reader of parts, and no message while one is under way", () => {
    const state = new Receiving();
    state.read(take.part);
    state.receive(binary("ab", { fin: false }));
    assert.throws(() => state.read(), { code: "websocket.message_in_progress" });
    state.read(take.part);
    state.receive(frame(0, "c"));
    assert.deepEqual(state.told, ["read binary ab …", "turn", "read binary c", "turn"]);
  });

  it("has one reader at a time, who may give up and lose nothing", () => {
    const state = new Receiving();
    const first = state.read();
    assert.throws(() => state.read(), { code: "core.operation_pending" });
    assert.equal(state.receiver.cancel(first), true);
    assert.equal(state.receiver.cancel(first), false);
    state.receive(text("1"));
    assert.deepEqual(state.told, []);
    state.read();
    state.receiver.take();
    assert.deepEqual(state.told, ["received 1", "read 1", "turn"]);
  });

  it("tells a reader of the end, also one that comes after it, and not inside the call", async () => {
    const state = new Receiving();
    state.read();
    state.receiver.end();
    assert.deepEqual(state.told, ["failed core.aborted"]);
    state.owner.isOver = true;
    state.read();
    assert.equal(state.told.length, 1);
    await Promise.resolve();
    assert.deepEqual(state.told, ["failed core.aborted", "failed core.aborted"]);
  });
});

describe("Receiver, pushed", () => {
  const pushed = (): Receiving => {
    const state = new Receiving();
    state.application.isPushed = true;
    return state;
  };

  it("hands on message after message, and lets nobody read", () => {
    const state = pushed();
    assert.equal(state.receive(text("1"), pong("p"), text("2")), true);
    assert.deepEqual(state.told, ["received 1", "message 1", "ponged", "pong p", "received 2", "message 2"]);
    assert.throws(() => state.read(), { code: "websocket.pushed" });
  });

  it("leaves messages where they are while the handler is at work", () => {
    const state = pushed();
    state.application.isBusy = true;
    assert.equal(state.receive(text("1"), ping("a")), false);
    assert.deepEqual([state.told, state.receiver.pauses], [[], 1]);
    state.application.isBusy = false;
    assert.equal(state.receiver.take(), true);
    assert.deepEqual(state.told, ["received 1", "message 1", "ping a"]);
  });

  it("tells the session what the peer did wrong", () => {
    const state = pushed();
    state.receive(frame(3));
    assert.deepEqual(state.told, ["violated websocket.bad_opcode"]);
  });
});

describe("Receiver, while a message is inflated elsewhere", () => {
  it("takes nothing of what comes after it", () => {
    const state = new Receiving();
    state.read();
    assert.equal(state.receive(text("deflated", { rsv: 4 }), text("2")), false);
    assert.equal(state.receiver.take(), false);
    assert.deepEqual(state.told, []);
    state.inflated!(Buffer.from("1"));
    assert.deepEqual(state.told, ["received 1", "read 1", "turn", "turn"]);
  });

  it("keeps it for the next reader if its own has gone, who may want parts", () => {
    const state = new Receiving();
    const first = state.read();
    state.receive(text("deflated", { rsv: 4 }));
    state.receiver.cancel(first);
    state.inflated!(Buffer.from("1"));
    assert.deepEqual(state.told, ["turn"]);
    state.read(take.part);
    state.receiver.take();
    assert.deepEqual(state.told, ["turn", "read text 1", "turn"]);
  });

  it("drops it once we have closed, and says nothing after the end", () => {
    for (const [end, told] of [
      ["isClosing", ["turn"]],
      ["isOver", []],
    ] as const) {
      const state = new Receiving();
      state.read();
      state.receive(text("deflated", { rsv: 4 }));
      state.owner[end] = true;
      state.inflated!(Buffer.from("1"));
      assert.deepEqual(state.told, told);
    }
  });

  it("tells the session why it could not be", () => {
    const state = new Receiving();
    state.read();
    state.receive(text("deflated", { rsv: 4 }));
    state.inflated!("websocket.message_too_big");
    assert.deepEqual(state.told, ["violated websocket.message_too_big", "turn"]);
  });
});
