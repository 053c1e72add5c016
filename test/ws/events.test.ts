import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import {
  addEventListener,
  CloseEvent,
  defineHandlerAttributes,
  ErrorEvent,
  Event,
  MessageEvent,
  removeEventListener,
} from "../../src/ws/events.ts";

/** What a WebSocket has of it. */
class Target extends EventEmitter {
  declare onopen: unknown;
  declare onmessage: unknown;
  _closeFrameReceived = false;
  _closeFrameSent = false;
}
defineHandlerAttributes(Target.prototype);

describe("Event and its subclasses", () => {
  it("have defaults", () => {
    const event = new Event("any");
    assert.deepEqual([event.type, event.target], ["any", null]);
    const close = new CloseEvent("close");
    assert.deepEqual([close.code, close.reason, close.wasClean], [0, "", false]);
    const error = new ErrorEvent("error");
    assert.deepEqual([error.error, error.message], [null, ""]);
    assert.equal(new MessageEvent("message").data, null);
  });

  it("have enumerable getters, as the DOM's", () => {
    const names: string[] = [];
    for (const name in new CloseEvent("close")) names.push(name);
    assert.deepEqual(names.toSorted(), ["code", "reason", "target", "type", "wasClean"]);
  });
});

describe("addEventListener", () => {
  it("calls a listener with the event that the emitter's arguments make", () => {
    const target = new Target();
    const events: Event[] = [];
    for (const type of ["open", "message", "close", "error"])
      addEventListener(target, type, (event) => events.push(event));
    const bytes = Buffer.from("bytes");
    const error = new Error("bad");
    target.emit("open");
    target.emit("message", bytes, false);
    target.emit("message", bytes, true);
    target.emit("error", error);
    target.emit("close", 1000, Buffer.from("bye"));
    const [open, text, binary, failed, closed] = events as [Event, MessageEvent, MessageEvent, ErrorEvent, CloseEvent];
    assert.ok(events.every((event) => event.target === target));
    assert.deepEqual(
      events.map((event) => event.type),
      ["open", "message", "message", "error", "close"],
    );
    assert.equal(open.constructor, Event);
    assert.equal(text.data, "bytes");
    assert.equal(binary.data, bytes);
    assert.deepEqual([failed.error, failed.message], [error, "bad"]);
    assert.deepEqual([closed.code, closed.reason, closed.wasClean], [1000, "bye", false]);
  });

  it("says that a close was clean if both sides sent a close frame", () => {
    const target = new Target();
    target._closeFrameReceived = target._closeFrameSent = true;
    let clean: boolean | undefined;
    addEventListener(target, "close", (event) => (clean = (event as CloseEvent).wasClean));
    target.emit("close", 1000, Buffer.alloc(0));
    assert.equal(clean, true);
  });

  it("adds a listener once, calls it once with `once`, and takes an object with handleEvent", () => {
    const target = new Target();
    let calls = 0;
    const listener = (): number => ++calls;
    addEventListener(target, "open", listener, { once: true });
    addEventListener(target, "open", listener);
    assert.equal(target.listenerCount("open"), 1);
    target.emit("open");
    target.emit("open");
    assert.equal(calls, 1);
    const object = {
      handleEvent(this: unknown) {
        assert.equal(this, object);
        calls++;
      },
    };
    addEventListener(target, "open", object);
    target.emit("open");
    assert.equal(calls, 2);
  });

  it("calls a function with the WebSocket as `this`, and ignores other types", () => {
    const target = new Target();
    let called = false;
    addEventListener(target, "open", function listener(this: unknown) {
      assert.equal(this, target);
      called = true;
    });
    addEventListener(target, "ping", () => {});
    target.emit("open");
    assert.equal(called, true);
    assert.deepEqual(target.eventNames(), ["open"]);
  });
});

describe("removeEventListener", () => {
  it("removes what addEventListener added, and nothing else", () => {
    const target = new Target();
    const listener = (): void => {};
    target.on("open", listener);
    target.onopen = listener;
    addEventListener(target, "open", listener, { once: true });
    removeEventListener(target, "open", () => {});
    assert.equal(target.listenerCount("open"), 3);
    removeEventListener(target, "open", listener);
    assert.equal(target.listenerCount("open"), 2);
    removeEventListener(target, "open", listener);
    assert.equal(target.listenerCount("open"), 2);
    assert.equal(target.onopen, listener);
  });
});

describe("onopen and the other attributes", () => {
  it("hold one function, which counts as no listener of addEventListener's", () => {
    const target = new Target();
    const calls: string[] = [];
    assert.equal(target.onmessage, null);
    target.onmessage = () => calls.push("first");
    const second = (event: Event): number => calls.push((event as MessageEvent).data as string);
    target.onmessage = second;
    addEventListener(target, "message", second);
    assert.equal(target.onmessage, second);
    target.emit("message", Buffer.from("x"), false);
    assert.deepEqual(calls, ["x", "x"]);
    target.onmessage = null;
    assert.equal(target.onmessage, null);
    target.emit("message", Buffer.from("y"), false);
    assert.deepEqual(calls, ["x", "x", "y"]);
  });

  it("take nothing but a function", () => {
    const target = new Target();
    target.onopen = { handleEvent: () => {} };
    assert.equal(target.onopen, null);
    assert.equal(target.listenerCount("open"), 0);
  });
});
