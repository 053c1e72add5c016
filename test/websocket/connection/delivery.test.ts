import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { inspect } from "node:util";
import type { CloseInfo, ServalError } from "../../../src/core/index.ts";
import type { MessageData, Stream, StreamOptions } from "../../../src/websocket/index.ts";
import { close, concat, frame, ping, pong, text } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { ended, opened, uncaughtIn, type Accepting } from "../support/kit.ts";
import { deferred } from "../../support/quiet.ts";

const own = new Error("mine");

/** Options that note every call of a handler, in order. */
function noting(more: StreamOptions = {}): { order: string[]; options: StreamOptions } {
  const order: string[] = [];
  const options: StreamOptions = {
    open: () => void order.push("open"),
    message: (_, message) => void order.push(`message ${String(message)}`),
    drain: () => void order.push("drain"),
    error: (_, error) => void order.push(`error ${error.code}`),
    close: (_, { code }) => void order.push(`close ${code}`),
    control: (_, kind, payload) => void order.push(`${kind} ${Buffer.from(payload).toString("latin1")}`.trim()),
    ...more,
  };
  return { order, options };
}

describe("the handlers", () => {
  it("run one at a time, from open to close, each with its stream", async () => {
    const { order, options } = noting();
    const streams = new Set<unknown>();
    for (const name of ["open", "message", "control", "error", "close"] as const) {
      const handler = options[name] as (ws: Stream, ...more: unknown[]) => unknown;
      Object.assign(options, { [name]: (ws: Stream, ...more: unknown[]) => (streams.add(ws), handler(ws, ...more)) });
    }
    const state = await opened(options, { behind: [text("1")] });
    void state.peer.write(ping("a"), text("2"), pong("b"), close(4000, "bye"));
    await ended(state);
    assert.deepEqual(order, ["open", "message 1", "ping a", "message 2", "pong b", "close \x0f\xa0bye", "close 4000"]);
    assert.deepEqual([...streams], [state.ws]);
  });

  for (const concurrency of [2, 3, Infinity]) {
    it(`with concurrency ${concurrency}, as many handlers of messages are at work at once, after open`, async () => {
      const opening = deferred();
      const works: { message: unknown; done: () => void }[] = [];
      const options: StreamOptions = {
        concurrency,
        open: () => opening.promise,
        message(_, message) {
          const { promise, resolve } = deferred();
          works.push({ message, done: resolve });
          return promise;
        },
      };
      const most = Math.min(concurrency, 5);
      const state = await opened(options, { behind: ["1", "2", "3", "4", "5"].map((one) => text(one)) });
      assert.equal(works.length, 0, "open is at work");
      opening.resolve();
      await quiet();
      assert.equal(works.length, most);
      for (let done = 0; done < 5; done++) {
        works[done]!.done();
        await quiet();
        assert.equal(works.length, Math.min(5, most + done + 1));
      }
      assert.deepEqual(
        works.map(({ message }) => message),
        ["1", "2", "3", "4", "5"],
      );
      state.ws.terminate();
    });
  }

  it("a connection that ends while a handler runs is no failure of the handler, and is not reported to the console", async (context) => {
    const reported = context.mock.method(console, "error", () => {});
    for (const handler of ["open", "message"] as const) {
      const waits = async (ws: Stream): Promise<void> => {
        await ws.write("x".repeat(1000));
        await new Promise((resolve) => void ws.closed.then(resolve));
        await ws.write("too late");
      };
      const { order, options } = noting({ highWaterMark: 0, [handler]: waits });
      const state = await opened(options, { behind: handler === "message" ? [text("1")] : [] });
      await quiet();
      state.peer.stream.reset();
      await ended(state);
      await quiet();
      assert.deepEqual(order.slice(-2), ["error core.connection_reset", "close 1006"], handler);
    }
    assert.equal(reported.mock.callCount(), 0);
  });

  it("close is the last, after error, however the connection fails", async () => {
    const failures: [name: string, act: (state: Accepting) => unknown, expected: string[]][] = [
      ["the peer resets", ({ peer }) => peer.stream.reset(), ["error core.connection_reset", "close 1006"]],
      [
        "the peer breaks the protocol",
        ({ peer }) => peer.write(frame(3)),
        ["error websocket.bad_opcode", "close 1002"],
      ],
      ["the peer ends", ({ peer }) => peer.stream.end(), ["close 1006"]],
      ["we terminate", ({ ws }) => ws.terminate(), ["close 1006"]],
      [
        "the queue overflows",
        ({ ws }) => [1, 2].forEach(() => ws.send(new Uint8Array(100_000))),
        ["error websocket.queue_overflow", "close 1006"],
      ],
    ];
    for (const [name, act, expected] of failures) {
      const { order, options } = noting();
      const state = await opened({ ...options, maxBufferedAmount: 10 });
      order.length = 0;
      void act(state);
      await ended(state);
      assert.deepEqual(order, expected, name);
    }
  });

  it("in error and close the stream is no longer open, and close gets how it ended", async () => {
    const seen: unknown[] = [];
    const note = (name: string, ws: Stream): void => void seen.push(name, ws.isOpen, ws.send("x"));
    const state = await opened({
      error: (ws) => note("error", ws),
      close: (ws, info) => {
        note("close", ws);
        void ws.closed.then((known) => seen.push(known === info));
        ws.terminate();
        void ws.close();
      },
    });
    state.peer.stream.reset();
    await ended(state);
    assert.deepEqual(seen, ["error", false, false, "close", false, false, true]);
  });

  for (const handler of ["open", "message"] as const) {
    it(`a promise of ${handler} is awaited before the next message; controls go on`, async () => {
      const { order, options } = noting();
      const first = deferred();
      const original = options[handler] as (ws: Stream, message: MessageData) => unknown;
      let calls = 0;
      const slow = (ws: Stream, message: MessageData): unknown => {
        original(ws, message);
        return calls++ === 0 ? first.promise : undefined;
      };
      const state = await opened({ ...options, [handler]: slow });
      void state.peer.write(concat(ping("a"), text("1"), ping("b"), text("2"), text("3")));
      await quiet();
      const before = handler === "open" ? ["open", "ping a"] : ["open", "ping a", "message 1", "ping b"];
      assert.deepEqual(order, before);
      first.resolve();
      await quiet();
      assert.deepEqual(
        order.filter((one) => one.startsWith("message")),
        ["message 1", "message 2", "message 3"],
      );
    });
  }

  it("async message handlers never overlap, and messages of one read and of many stay in order", async () => {
    const seen: number[] = [];
    let running = 0;
    const message = async (_: unknown, one: MessageData): Promise<void> => {
      assert.equal(++running, 1);
      await Promise.resolve();
      if (Number(one) % 3 === 0) await quiet();
      seen.push(Number(one));
      running--;
    };
    const { peer } = await opened({ message });
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    void peer.write(...numbers.slice(0, 20).map((i) => text(`${i}`)));
    for (const i of numbers.slice(20)) void peer.write(text(`${i}`));
    for (let turn = 0; turn < 60; turn++) await quiet();
    assert.deepEqual(seen, numbers);
  });

  it("the promise of a write that is returned holds messages back only while there is no room", async () => {
    const seen: unknown[] = [];
    const message = (ws: Stream, one: MessageData): unknown => (seen.push(one), ws.write(one));
    const { peer } = await opened({ message, highWaterMark: 10 }, { peerPair: { capacity: 200 } });
    peer.pause();
    void peer.write(...["1", "2", "3", "4"].map((one) => text(one.repeat(300))));
    await quiet();
    await quiet();
    assert.ok(seen.length < 4, `${seen.length} messages were taken though nothing leaves`);
    peer.resume();
    await quiet();
    assert.equal(seen.length, 4);
  });
});

describe("a handler that fails", () => {
  const fails: [name: string, fail: () => unknown][] = [
    [
      "throws",
      () => {
        throw own;
      },
    ],
    ["rejects", () => Promise.reject(own)],
    ["rejects later", () => quiet().then(() => Promise.reject(own))],
  ];
  for (const [name, fail] of fails) {
    for (const handler of ["open", "message", "drain", "control"] as const) {
      it(`${handler} ${name}: 1011 to the peer, the error reported once, the connection ends`, async () => {
        const errors: ServalError[] = [];
        const messages: MessageData[] = [];
        const infos: CloseInfo[] = [];
        let calls = 0;
        const state = await opened({
          highWaterMark: 1,
          message: (ws, one) => {
            messages.push(one);
            if (handler === "drain") ws.send("full");
          },
          error: (_, error) => void errors.push(error),
          close: (_, info) => void infos.push(info),
          [handler]: () => (calls++ === 0 ? fail() : undefined),
        });
        const { peer } = state;
        void peer.write(concat(handler === "control" ? pong() : text("1")));
        for (let turn = 0; turn < 3; turn++) await quiet();
        void peer.write(text("behind"));
        await quiet();
        assert.equal(peer.frames.at(-1), "close 1011");
        assert.deepEqual(
          errors.map(({ code, cause }) => [code, cause]),
          [["websocket.handler_failed", own]],
        );
        assert.equal(messages.includes("behind"), false);
        void peer.write(close(1011));
        assert.deepEqual(await ended(state), { code: 1011, reason: "", clean: true });
        assert.deepEqual([errors.length, infos.length], [1, 1]);
      });
    }

    it(`error or close that ${name}, or message without an error handler: reported, and not lost or thrown`, async (context) => {
      const report = mock.method(console, "error", () => {});
      context.after(() => report.mock.restore());
      const reported = (): unknown[] => report.mock.calls.map((call) => (call.arguments as unknown[])[0]);
      const inError = await opened({ error: fail, close: fail });
      inError.peer.stream.reset();
      for (let turn = 0; turn < 3; turn++) await quiet();
      await ended(inError);
      assert.deepEqual(reported(), [own, own]);
      report.mock.resetCalls();
      const unheard = await opened({ message: fail, error: undefined } as unknown as StreamOptions);
      void unheard.peer.write(text("1"));
      for (let turn = 0; turn < 3; turn++) await quiet();
      assert.deepEqual([reported(), unheard.peer.frames], [[own], ["close 1011"]]);
      await ended(unheard);
    });
  }

  it("one of several messages in a read: the others after it are not delivered", async () => {
    const seen: MessageData[] = [];
    const message = (_: unknown, one: MessageData): void => {
      seen.push(one);
      if (one === "2") throw own;
    };
    const { peer, errors } = await opened({ message });
    void peer.write(concat(text("1"), text("2"), text("3")));
    await quiet();
    assert.deepEqual([seen, peer.frames, errors], [["1", "2"], ["close 1011"], ["websocket.handler_failed"]]);
  });
});

describe("handlers that act on their stream", () => {
  const acts: [name: string, act: (ws: Stream) => unknown, frames: string[]][] = [
    ["close", (ws) => void ws.close({ code: 4000 }), ["close 4000"]],
    ["terminate", (ws) => ws.terminate(), []],
    ["await the close", (ws) => ws.close({ code: 4001 }), ["close 4001"]],
    ["send and close", (ws) => (ws.send("last"), void ws.close()), ["text last", "close 1000"]],
  ];
  for (const handler of ["open", "message", "control"] as const) {
    for (const [name, act, frames] of acts) {
      it(`${name} in ${handler}: the messages after it are dropped, and all ends`, async () => {
        const messages: MessageData[] = [];
        const state = await opened({
          message: (_, one) => void messages.push(one),
          [handler]: (ws: Stream) => act(ws),
        });
        if (state.closed === undefined)
          void state.peer.write(concat(handler === "message" ? text("1") : ping("1"), text("2"), text("3")));
        await quiet();
        assert.deepEqual(
          state.peer.frames.filter((one) => !one.startsWith("pong")),
          frames,
        );
        if (name !== "terminate") void state.peer.write(close(4000));
        assert.equal((await ended(state)).clean, name !== "terminate");
        assert.deepEqual([messages, state.errors], [[], []]);
      });
    }
  }
});

describe("an exception of a handler after the end, or one that can't be inspected", () => {
  const revoked = (): unknown => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };

  it("late: it goes to the console, since close was the last handler to run", async (context) => {
    const reported = context.mock.method(console, "error", () => {});
    const late = deferred();
    const { order, options } = noting({ message: () => late.promise });
    const state = await opened(options, { behind: [text("1")] });
    state.ws.terminate();
    await ended(state);
    late.reject(own);
    await quiet();
    assert.equal(order.at(-1), "close 1006");
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments),
      [[own]],
    );
  });

  for (const [name, thrown] of [
    ["undefined", undefined],
    ["an object without a prototype", Object.create(null)],
    ["a revoked proxy", revoked()],
  ] as const) {
    it(`${name}: reported once, closes with 1011, and goes no further`, async (context) => {
      const uncaught = uncaughtIn(context);
      // As the console does: it looks at what it is given.
      const reported = context.mock.method(console, "error", (value: unknown) => inspect(value));
      const { options } = noting({
        error: undefined,
        message: () => {
          throw thrown;
        },
      } as unknown as StreamOptions);
      const state = await opened(options, { behind: [text("1")] });
      await quiet();
      assert.ok(reported.mock.callCount() >= 1);
      assert.deepEqual(state.peer.frames, ["close 1011"]);
      void state.peer.write(close(1011));
      await ended(state);
      assert.deepEqual(uncaught, []);
    });
  }
});
