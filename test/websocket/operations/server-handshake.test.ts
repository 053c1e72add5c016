import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type ByteStream, type ServalError } from "../../../src/core/index.ts";
import { pair, VirtualClock } from "../../../src/testing/index.ts";
import { Response } from "../../../src/http/index.ts";
import {
  Stream,
  type AcceptOptions,
  type AcceptSource,
  type UpgradeHook,
  type UpgradeResult,
} from "../../../src/websocket/index.ts";
import { concat, text } from "../support/frames.ts";
import { afterSteps, quiet } from "../../support/quiet.ts";
import { accepting, codeOf, ended, opened, WebSocketPeer, type Accepting, type AcceptCall } from "../support/kit.ts";
import { latin1, requestBytes, requestOf } from "../support/requests.ts";

const never = new AbortController().signal;

describe("accept: its forms", () => {
  const forms: [name: string, given: () => (AcceptSource | AcceptOptions | undefined)[], fromStream: boolean][] = [
    ["()", () => [], true],
    ["(options)", () => [{ signal: never }], true],
    ["(undefined, options)", () => [undefined, { signal: never }], true],
    ["(bytes)", () => [requestBytes()], false],
    ["(bytes, options)", () => [requestBytes(), { signal: never }], false],
    ["(no bytes)", () => [new Uint8Array(0)], true],
    ["(no list)", () => [[]], true],
    ["(list)", () => [[requestBytes().subarray(0, 9), requestBytes().subarray(9)]], false],
    ["(a Buffer)", () => [Buffer.from(requestBytes())], false],
    ["(request)", () => [requestOf()], false],
    ["(request, options)", () => [requestOf(), { buffered: [], signal: never }], false],
  ];
  for (const [name, given, fromStream] of forms) {
    for (const form of ["promise", "handler"] as const) {
      it(`${name} with a ${form}`, async () => {
        const [next, other] = pair();
        const ws = new Stream(next, { clock: new VirtualClock() });
        const peer = new WebSocketPeer(other);
        const args = given() as [];
        let told: [ServalError | undefined, ...unknown[]] | undefined;
        const done = (...outcome: [ServalError | undefined]): void => void (told = outcome);
        const result =
          form === "promise" ? ws.accept(...args) : (ws.accept as (...all: unknown[]) => unknown)(...args, done);
        if (fromStream) void peer.write(requestBytes());
        await quiet();
        if (form === "promise") assert.equal(await codeOf(result as Promise<void>), undefined);
        else assert.deepEqual([result, told?.[0]], [undefined, undefined]);
        assert.ok(form === "promise" ? result instanceof Promise : told !== undefined);
        assert.equal(ws.isOpen, true);
        assert.equal(peer.response?.status, 101);
      });
    }
  }

  it("a promise rejects with the error of a refusal, and need not be awaited", async () => {
    const [next, other] = pair();
    const ws = new Stream(next, { clock: new VirtualClock() });
    const peer = new WebSocketPeer(other);
    const accepted = ws.accept(requestBytes({ Host: undefined }));
    await quiet();
    assert.equal(await codeOf(accepted), "websocket.no_host");
    assert.equal(peer.response?.status, 400);
  });
});

describe("accept: completes once, and never inside the call", () => {
  const aborted = AbortSignal.abort("reason");
  const calls: [name: string, call: AcceptCall, code: string | undefined][] = [
    ["an aborted signal", { accept: { signal: aborted } }, "core.aborted"],
    ["an aborted signal and a whole request", { source: requestBytes(), accept: { signal: aborted } }, "core.aborted"],
    ["an aborted signal and a request object", { source: requestOf(), accept: { signal: aborted } }, "core.aborted"],
    ["garbage in the caller's buffer", { source: latin1("\0\0\0\0") }, "http.bad_method"],
    ["more than the limit in the caller's buffer", { source: new Uint8Array(20_000).fill(65) }, "http.method_limit"],
    ["a whole request in the caller's buffer", { source: requestBytes() }, undefined],
    ["a good request object", { source: requestOf() }, undefined],
    ["a bad request object", { source: requestOf({ Upgrade: undefined }) }, "websocket.no_upgrade"],
    [
      "a hook that throws at once",
      {
        source: requestOf(),
        options: {
          upgrade: () => {
            throw new Error("x");
          },
        },
      },
      "websocket.handler_failed",
    ],
    ["a next layer that fails at the first read", { pair: { failAfter: 0 } }, "testing.failure"],
    ["a next layer that fails at the first write", { source: requestOf(), pair: { failAfter: 0 } }, "testing.failure"],
    ["a deadline of 0", { options: { timeouts: { handshake: 0 } } }, "core.timeout"],
  ];
  for (const [name, call, code] of calls) {
    it(name, async () => {
      const state = accepting(call);
      assert.equal(state.completions, 0);
      await state.clock.advance(0);
      assert.deepEqual([state.completions, state.inside, state.error?.code], [1, false, code]);
      if (code === "core.aborted") assert.equal(state.error?.cause, "reason");
      await ended(state);
      assert.equal(state.completions, 1);
    });
  }

  it("a closed next layer", async () => {
    const [next] = pair();
    next.close();
    const ws = new Stream(next, { clock: new VirtualClock() });
    assert.equal(await codeOf(ws.accept()), "core.aborted");
    assert.equal((await ws.closed).code, 1006);
  });
});

describe("accept: no other operation runs beside it", () => {
  const misuse: [name: string, call: (ws: Stream) => unknown][] = [
    ["accept", (ws) => ws.accept()],
    ["read", (ws) => ws.read()],
    ["read with a signal", (ws) => ws.read({ signal: never })],
    ["for await", (ws) => ws[Symbol.asyncIterator]().next()],
    ["write", (ws) => ws.write("x")],
    ["writeSome", (ws) => ws.writeSome("x", true)],
    ["ping", (ws) => ws.ping()],
    ["pong", (ws) => ws.pong()],
    ["send", (ws) => ws.send("x")],
    ["readSome", (ws) => ws.readSome()],
    ["nextMessage", (ws) => ws.nextMessage()],
    ["handshake", (ws) => ws.handshake("a", "/")],
    ["accept with a handler", (ws) => ws.accept(() => assert.fail("was called"))],
    ["read with a handler", (ws) => ws.read(() => assert.fail("was called"))],
    ["write with a handler", (ws) => ws.write("x", () => assert.fail("was called"))],
    ["ping with a handler", (ws) => ws.ping("x", () => assert.fail("was called"))],
  ];
  const throws = (name: string): boolean => name.startsWith("send") || name.endsWith("with a handler");
  async function refusedWith(name: string, call: (ws: Stream) => unknown, ws: Stream, code: string): Promise<void> {
    if (throws(name)) assert.throws(() => call(ws), { code });
    else assert.equal(await codeOf(call(ws) as Promise<unknown>), code);
  }

  for (const [name, call] of misuse) {
    it(`${name} during accept is core.operation_pending, without affecting the running one`, async () => {
      const state: Accepting = accepting({
        options: { upgrade: () => refusedWith(name, call, state.ws, "core.operation_pending") },
      });
      await refusedWith(name, call, state.ws, "core.operation_pending");
      void state.peer.write(requestBytes(), text("first"));
      for (let turn = 0; turn < 4; turn++) await quiet();
      assert.deepEqual([state.completions, state.error, state.messages], [1, undefined, ["first"]]);
      assert.equal((await ended(state)).code, 1006);
    });

    if (name.startsWith("accept") || name === "handshake") continue;
    it(`${name} before accept, and after one that failed, is websocket.not_open`, async () => {
      const [next] = pair();
      await refusedWith(name, call, new Stream(next), "websocket.not_open");
      const state = accepting({ source: latin1("\0") });
      await quiet();
      await refusedWith(name, call, state.ws, "websocket.not_open");
      await ended(state);
      await refusedWith(name, call, state.ws, "websocket.not_open");
    });
  }

  const ways: [name: string, before: () => Promise<Stream>][] = [
    ["a success", async () => (await opened()).ws],
    ["the end of the connection", () => opened().then(async (state) => ended(state).then(() => state.ws))],
    [
      "a refusal",
      () => Promise.resolve(accepting({ source: latin1("\0") })).then(async ({ ws }) => quiet().then(() => ws)),
    ],
    ["an abort", async () => accepting({ accept: { signal: AbortSignal.abort() } }).ws],
    [
      "terminate",
      async () => {
        const ws = new Stream(pair()[0]);
        ws.terminate();
        return ws;
      },
    ],
  ];
  for (const [name, before] of ways) {
    it(`a second accept after ${name} is websocket.already_started`, async () => {
      const ws = await before();
      await quiet();
      assert.equal(await codeOf(ws.accept()), "websocket.already_started");
      assert.throws(() => ws.accept(() => assert.fail("was called")), { code: "websocket.already_started" });
    });
  }

  it("a next layer that is read elsewhere is misuse, and nothing changes", async () => {
    const [next, other] = pair();
    const clock = new VirtualClock();
    const ws = new Stream(next, { clock });
    const peer = new WebSocketPeer(other);
    let read = 0;
    next.readSome((_, bytes) => void (read = bytes!.length));
    assert.equal(await codeOf(ws.accept()), "core.operation_pending");
    assert.throws(() => ws.accept(() => assert.fail("was called")), { code: "core.operation_pending" });
    assert.equal(clock.pending, 0);
    void peer.write(latin1("mine"));
    await quiet();
    assert.equal(read, 4);
    assert.equal(await codeOf(ws.read()), "websocket.not_open");
    assert.equal(await codeOf(ws.accept(requestBytes())), undefined);
    assert.equal(ws.isOpen, true);
  });
});

describe("accept: what stays visible", () => {
  it("the request, also of a handshake that was refused", async () => {
    const state = await opened();
    assert.deepEqual([state.ws.request?.target, state.ws.protocol, state.ws.data], ["/chat", "", undefined]);
    const refused = accepting({ source: requestBytes({ Host: undefined, Origin: "x" }) });
    await quiet();
    assert.equal(refused.ws.request?.headers.get("origin"), "x");
    const withBody = accepting({ source: requestBytes({ "Content-Length": "1" }, "PUT /a HTTP/1.1") });
    await quiet();
    assert.equal(withBody.ws.request?.method, "PUT");
    const garbage = accepting({ source: latin1("\0") });
    await quiet();
    assert.equal(garbage.ws.request, undefined);
  });

  it("the peer's address, from any layer that has it, or from the option", () => {
    const [lowest] = pair();
    const address = { address: "192.0.2.1", port: 5 };
    const layer = (nextLayer: ByteStream, peer?: typeof address): ByteStream => ({
      readSome: (handler) => lowest.readSome(handler),
      writeSome: (buffers, handler) => lowest.writeSome(buffers, handler),
      shutdown: (handler) => lowest.shutdown(handler),
      watch: (handler) => lowest.watch(handler),
      close: () => lowest.close(),
      reset: () => lowest.reset(),
      nextLayer,
      peer,
    });
    assert.equal(new Stream(lowest).peer, undefined);
    assert.equal(new Stream(layer(layer(lowest, address))).peer, address);
    const own = { unix: "/run/x" };
    assert.equal(new Stream(layer(lowest, address), { peer: own }).peer, own);
  });

  it("a next layer's own error, not caused by the request: nothing is written", async () => {
    for (const code of ["core.timeout", "core.connection_reset", "core.buffer_overflow"] as const) {
      const written: unknown[] = [];
      const failing: ByteStream = {
        readSome: (handler) => queueMicrotask(() => handler(coreError(code), undefined)),
        writeSome: (buffers) => written.push(buffers),
        shutdown: (handler) => queueMicrotask(() => handler(undefined)),
        watch: () => {},
        close: () => {},
        reset: () => {},
      };
      const clock = new VirtualClock();
      const ws = new Stream(failing, { clock });
      assert.equal(await codeOf(ws.accept()), code);
      assert.deepEqual([written, clock.pending, (await ws.closed).code], [[], 0, 1006]);
    }
  });
});

describe("accept: close, terminate and dispose are always allowed", () => {
  const giveUp: [name: string, act: (ws: Stream) => unknown][] = [
    ["close", (ws) => ws.close()],
    ["close with a handler", (ws) => ws.close({}, () => {})],
    ["terminate", (ws) => ws.terminate()],
    ["dispose", (ws) => ws[Symbol.asyncDispose]()],
    ["close twice, then terminate", (ws) => void (ws.close(), ws.close({ code: 4000 }), ws.terminate())],
  ];
  const scenarios: [name: string, start: (act: (ws: Stream) => unknown) => Accepting][] = [
    ["a request that does not come", () => accepting()],
    ["a good request", () => accepting({ source: concat(requestBytes(), text("a")) })],
    ["a bad request", () => accepting({ source: requestBytes({ Host: undefined }) })],
    [
      "a hook that takes its time",
      () => accepting({ source: requestOf(), options: { upgrade: () => new Promise(() => {}) } }),
    ],
    [
      "from inside the hook",
      (act) => {
        const state: Accepting = accepting({ source: requestBytes(), options: { upgrade: () => void act(state.ws) } });
        return state;
      },
    ],
    [
      "a response that nobody reads",
      () => {
        const state = accepting({ source: requestOf(), peerPair: { capacity: 5 } });
        state.peer.pause();
        return state;
      },
    ],
  ];
  for (const [name, act] of giveUp) {
    for (const [scenario, start] of scenarios) {
      it(`${name} during ${scenario}: core.aborted at every step, or it had completed`, async () => {
        for (let count = 0; count < 25; count++) {
          const state = start(act);
          let before = 0;
          afterSteps(count, () => {
            before = state.completions;
            act(state.ws);
          });
          await quiet();
          await quiet();
          assert.deepEqual([state.completions, state.inside], [1, false]);
          if (before === 0) {
            assert.deepEqual([state.error?.code, state.next.closed, state.clock.pending], ["core.aborted", true, 0]);
            assert.deepEqual(state.closed, { code: 1006, reason: "", clean: false });
          }
          assert.equal((await ended(state)).code, 1006);
          assert.equal(state.messages.length <= (before === 0 ? 0 : 1), true);
        }
      });
    }
  }

  it("close before accept ends the stream, and its handler does not run inside the call", async () => {
    const [next] = pair();
    const ws = new Stream(next, { clock: new VirtualClock() });
    let returned = false;
    let inside: boolean | undefined;
    ws.close({}, () => void (inside = !returned));
    returned = true;
    await quiet();
    assert.equal(inside, false);
    assert.deepEqual([next.closed, await ws.closed], [true, { code: 1006, reason: "", clean: false }]);
  });
});

describe("accept: a client that goes while the hook is pending", () => {
  /** A handshake whose hook waits for `decide`, and what the hook's signal has told. */
  function asking(options: AcceptCall = {}): Accepting & { decide(result?: UpgradeResult): void; reasons: unknown[] } {
    let decide!: (result?: UpgradeResult) => void;
    const reasons: unknown[] = [];
    const upgrade: UpgradeHook = (_request, _peer, { signal }) => {
      signal.addEventListener("abort", () => reasons.push((signal.reason as ServalError).code));
      return new Promise((resolve) => (decide = resolve));
    };
    const state = accepting({ source: requestBytes(), ...options, options: { upgrade } });
    return Object.assign(state, { decide: (result?: UpgradeResult) => decide(result), reasons });
  }

  for (const [how, act, code] of [
    ["ends", ({ stream }) => stream.end(), "websocket.closed"],
    ["resets", ({ stream }) => stream.reset(), "core.connection_reset"],
  ] satisfies [string, (peer: WebSocketPeer) => void, string][]) {
    it(`${how}: the handshake ends at once, and the hook's signal aborts`, async () => {
      const state = asking();
      await quiet();
      assert.deepEqual([state.next.reading, state.completions], [true, 0]);
      act(state.peer);
      await quiet();
      assert.deepEqual([state.completions, state.error?.code, state.reasons], [1, code, [code]]);
      assert.deepEqual([state.next.closed, state.clock.pending, state.closed?.code], [true, 0, 1006]);
      state.decide();
      await quiet();
      assert.deepEqual([state.completions, state.ws.isOpen, state.reasons.length], [1, false, 1]);
    });
  }

  it("the deadline, a signal, close and terminate abort the hook's signal too", async () => {
    let controller!: AbortController;
    for (const [act, code] of [
      [({ clock }) => clock.advance(30_000), "core.timeout"],
      [() => controller.abort(), "core.aborted"],
      [({ ws }) => ws.terminate(), "core.aborted"],
      [({ ws }) => ws.close({}, () => {}), "core.aborted"],
    ] satisfies [(state: Accepting) => unknown, string][]) {
      controller = new AbortController();
      const state = asking({ accept: { signal: controller.signal } });
      await quiet();
      await act(state);
      await quiet();
      assert.deepEqual([state.error?.code, state.reasons, state.next.closed], [code, [code], true]);
    }
  });

  it("has sent frames before the answer: they are kept, whether it is accepted or refused", async () => {
    const state = asking();
    void state.peer.write(text("early"));
    await quiet();
    state.decide();
    await quiet();
    assert.deepEqual([state.ws.isOpen, state.messages, state.reasons], [true, ["early"], []]);
    const other = asking();
    void other.peer.write(text("early"));
    await quiet();
    other.decide(new Response({ status: 403 }));
    await quiet();
    assert.deepEqual([other.error?.code, other.peer.response?.status], ["websocket.upgrade_declined", 403]);
  });

  it("is seen while the answer is on its way", async () => {
    const state = asking();
    await quiet();
    state.peer.stream.reset();
    state.decide();
    await quiet();
    assert.deepEqual([state.completions, state.error?.code, state.next.closed], [1, "core.connection_reset", true]);
  });

  it("is not watched for with a hook that decides at once", async () => {
    const state = accepting({ source: requestBytes(), options: { upgrade: () => new Response({ status: 403 }) } });
    assert.equal(state.next.reading, false);
    await quiet();
    assert.equal(state.error?.code, "websocket.upgrade_declined");
  });

  it("is not watched for if the layer is read elsewhere", async () => {
    const [next, other] = pair();
    next.readSome(() => {});
    const ws = new Stream(next, { upgrade: async () => ({}) });
    await ws.accept(requestOf());
    const peer = new WebSocketPeer(other);
    await quiet();
    assert.equal(peer.response?.status, 101);
    ws.terminate();
  });
});

describe("operations from elsewhere", () => {
  it("a write from elsewhere on the next layer is not affected", async () => {
    const [next, peer] = pair({ capacity: 1 });
    let written: unknown;
    // Of two bytes the peer takes one, and the rest waits.
    next.writeSome(new Uint8Array(1), () => {
      next.writeSome(new Uint8Array(1), (error) => (written = error));
    });
    await quiet();
    const ws = new Stream(next);
    assert.equal(await codeOf(ws.accept(requestOf())), "core.operation_pending");
    assert.deepEqual(await ws.closed, { code: 1006, reason: "", clean: false });
    assert.deepEqual([next.closed, written], [false, undefined]);
    peer.readSome(() => {});
    await quiet();
    assert.equal(next.closed, false);
    next.close();
  });

  it("RFC 9110 9.3.2: a refused HEAD is answered with only a head", async () => {
    const state = accepting({ source: requestBytes({}, "HEAD / HTTP/1.1") });
    await quiet();
    const received = new TextDecoder().decode(state.peer.received);
    assert.match(received, /^HTTP\/1.1 405 .*Content-Length: [1-9].*\r\n\r\n$/s);
  });
});
