import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { coreError } from "../../src/core/index.ts";
import { coreErrors } from "../../src/core/errors.ts";
import { httpErrors, Response } from "../../src/http/index.ts";
import { httpError } from "../../src/http/internal.ts";
import { mount, serve, type Limit, type Refusal, type ServerOptions } from "../../src/server/index.ts";
import { Counters } from "../../src/server/statistics.ts";
import { websocketError, websocketErrors } from "../../src/websocket/frames/errors.ts";
import { timeoutError } from "../../src/http/server/passed-deadline.ts";
import { binary, close as closeFrame, more, ping, text } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { hubOf, leave, opened, type Client } from "./support/kit.ts";

const none = { transport: "socket", connections: 0, sockets: 0, topics: 0, subscriptions: 0 } as const;

/** Those of a record that are not 0. */
function counted(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter(([, count]) => count !== 0));
}

describe("a failure is counted by its code, and its limit by the option's name", () => {
  for (const [error, isOpen, limit] of [
    [coreError("core.timeout"), false, "timeouts.handshake"],
    [coreError("core.timeout"), true, "timeouts.idle"],
    [timeoutError("header"), false, "timeouts.header"],
    [timeoutError("body"), false, "timeouts.body"],
    [timeoutError("write"), false, "timeouts.write"],
    [httpError("http.header_limit"), false, "maxHeaderSize"],
    [httpError("http.field_limit"), false, "maxHeadersCount"],
    [httpError("http.target_limit"), false, "maxHeaderSize"],
    [httpError("http.method_limit"), false, "maxHeaderSize"],
    [httpError("http.body_limit"), false, "maxBodySize"],
    [websocketError("websocket.buffer_overflow"), false, "maxHeaderSize"],
    [websocketError("websocket.message_too_big"), true, "maxMessageSize"],
    [websocketError("websocket.too_many_fragments"), true, "maxFragments"],
    [websocketError("websocket.queue_overflow"), true, "maxBufferedAmount"],
    [websocketError("websocket.rate_exceeded"), true, "rate"],
    [websocketError("websocket.bad_opcode"), true, undefined],
    [coreError("core.connection_reset"), false, undefined],
  ] as const) {
    test(`${error.code}, ${isOpen ? "open" : "opening"}: ${limit ?? "no limit"}`, () => {
      const counters = new Counters();
      counters.failed(error, isOpen);
      const { errors, limits } = counters.statistics(none, []);
      assert.deepEqual(errors, { [error.code]: 1 });
      assert.deepEqual(counted(limits), limit === undefined ? {} : { [limit]: 1 });
    });
  }
});

test("statistics are a copy that does not change", () => {
  const counters = new Counters();
  const before = counters.statistics(none, []);
  counters.failed(websocketError("websocket.rate_exceeded"), true);
  counters.refused.draining++;
  assert.deepEqual([before.errors, counted(before.limits), counted(before.refused)], [{}, {}, {}]);
});

describe("over a connection, once", () => {
  const cases: Record<
    string,
    { options?: ServerOptions; act: (one: Client) => unknown; limit: Limit; error?: string }
  > = {
    "a message that is too large": {
      options: { maxMessageSize: 10 },
      act: ({ peer }) => peer.write(binary(new Uint8Array(11))),
      limit: "maxMessageSize",
      error: "websocket.message_too_big",
    },
    "a message of too many fragments": {
      options: { maxFragments: 2 },
      act: ({ peer }) => peer.write(text("a", { fin: false }), more("b", { fin: false }), more("c")),
      limit: "maxFragments",
      error: "websocket.too_many_fragments",
    },
    "a peer that is too fast, and slowed down": {
      options: { rate: { messages: 1, burst: 1 } },
      act: ({ peer }) => peer.write(ping("a")),
      limit: "rate",
    },
    "a peer that is too fast, and closed": {
      options: { rate: { messages: 1, burst: 1, exceeded: "close" } },
      act: ({ peer }) => peer.write(ping("a")),
      limit: "rate",
      error: "websocket.rate_exceeded",
    },
    "a message that is dropped": {
      options: { overflow: "drop", maxBufferedAmount: 10 },
      act: ({ ws }) => {
        ws.send(new Uint8Array(100));
        ws.send(new Uint8Array(100));
      },
      limit: "maxBufferedAmount",
    },
    "too much that waits": {
      options: { maxBufferedAmount: 10 },
      act: ({ ws }) => {
        ws.send(new Uint8Array(100));
        ws.send(new Uint8Array(100));
      },
      limit: "maxBufferedAmount",
      error: "websocket.queue_overflow",
    },
  };
  for (const [what, { options, act, limit, error }] of Object.entries(cases)) {
    test(`${what} counts as ${limit}, while it is open and after its end`, async () => {
      const { hub } = hubOf(options);
      const one = await opened(hub);
      await act(one);
      await quiet();
      for (let time = 0; time < 2; time++) {
        const { limits, errors } = hub.statistics();
        assert.deepEqual(counted(limits), { [limit]: 1 });
        assert.deepEqual(errors, error === undefined ? {} : { [error]: 1 });
        one.peer.stream.end();
        one.ws.terminate();
        await quiet();
        assert.equal(hub.sockets.size, 0);
      }
    });
  }

  test("a silent peer counts as timeouts.idle", async () => {
    const { hub, clock } = hubOf({ timeouts: { idle: 100 } });
    await opened(hub);
    await clock.advance(200);
    const { limits, errors } = hub.statistics();
    assert.deepEqual([counted(limits), errors], [{ "timeouts.idle": 1 }, { "core.timeout": 1 }]);
  });

  test("a peer that does not close in time exceeds no limit", async () => {
    const { hub, clock } = hubOf();
    const { ws } = await opened(hub);
    void ws.close();
    await clock.advance(1000);
    const { limits, errors, closed } = hub.statistics();
    assert.deepEqual([counted(limits), errors, closed], [{}, {}, { 1006: 1 }]);
  });

  test("an upgrade that takes too long counts as timeouts.handshake, and is no refusal", async () => {
    const { hub, clock } = hubOf({ upgrade: () => new Promise<void>(() => {}) });
    await opened(hub);
    await clock.advance(1000);
    const { limits, refused } = hub.statistics();
    assert.deepEqual([counted(limits), counted(refused)], [{ "timeouts.handshake": 1 }, {}]);
  });

  const refusals: [Refusal, ServerOptions, Record<string, string>?][] = [
    ["declined", { upgrade: () => new Response({ status: 401 }) }],
    ["failed", { upgrade: () => Promise.reject(new Error("mine")), error: () => {} }],
    ["failed", { upgrade: () => ({ protocol: "not offered" }), error: () => {} }],
    ["failed", { decorate: (response) => response.headers.set("Upgrade", "other"), error: () => {} }],
    ["malformed", {}, { "Sec-WebSocket-Key": "short" }],
    ["malformed", {}, { "Sec-WebSocket-Version": "8" }],
    ["malformed", {}, { Connection: "close" }],
  ];
  for (const [reason, options, headers] of refusals) {
    test(`refused: ${reason} ${JSON.stringify(headers ?? Object.keys(options))}`, async () => {
      const { hub } = hubOf(options);
      await opened(hub, { ...(headers && { headers }) });
      const { refused, errors, opened: count } = hub.statistics();
      assert.deepEqual(counted(refused), { [reason]: 1 });
      assert.deepEqual([Object.values(errors), count], [[1], 0]);
    });
  }
});

test("sums cover all sockets, open and ended", async () => {
  const { hub } = hubOf({ message: (ws, message) => void ws.send(message) });
  const clients = [await opened(hub), await opened(hub), await opened(hub)];
  for (const { peer } of clients) await peer.write(text("hello"));
  await quiet();
  const before = hub.statistics();
  const { messagesReceived, messagesSent, payloadReceived, payloadSent } = before;
  assert.deepEqual([messagesReceived, messagesSent, payloadReceived, payloadSent], [3, 3, 15, 15]);
  assert.deepEqual([before.bytesReceived, before.bytesSent], [3 * 11, 3 * 7]);
  void clients[0]!.ws.close();
  await leave(clients[0]!);
  clients[1]!.ws.terminate();
  await quiet();
  const after = hub.statistics();
  assert.deepEqual([after.messagesReceived, after.payloadSent, after.opened, after.sockets], [3, 15, 3, 1]);
  assert.deepEqual(after.closed, { 1000: 1, 1006: 1 });
  assert.equal(after.bytesSent, before.bytesSent + 4);
});

test("buffered bytes are summed over open sockets", async () => {
  const { hub } = hubOf();
  const one = await opened(hub, { capacity: 10 });
  one.peer.pause();
  one.ws.send(new Uint8Array(1000));
  await quiet();
  assert.ok(hub.statistics().bufferedAmount >= 900);
  one.ws.terminate();
  await quiet();
  assert.equal(hub.statistics().bufferedAmount, 0);
});

test("a peer can't create keys: codes come from tables, and there are some two thousand close codes", async () => {
  const known = new Set(Object.keys({ ...coreErrors, ...httpErrors, ...websocketErrors }));
  const { hub } = hubOf();
  const violations = [
    Uint8Array.of(0x83, 0x80, 0, 0, 0, 0),
    Uint8Array.of(0x81, 0),
    text("a", { rsv: 7 }),
    closeFrame(1005),
    closeFrame(65_535),
    closeFrame(0),
    closeFrame(1000, Uint8Array.of(0xff)),
  ];
  for (const bytes of [...violations, closeFrame(4999, "mine"), closeFrame(3000, "__proto__")]) {
    const { peer } = await opened(hub);
    await peer.write(bytes);
    peer.stream.end();
    await quiet();
  }
  const { errors, closed } = hub.statistics();
  for (const code of Object.keys(errors)) assert.ok(known.has(code), code);
  assert.equal(
    Object.values(errors).reduce((sum, count) => sum + count),
    violations.length,
  );
  assert.deepEqual([closed[4999], closed[3000]], [1, 1]);
  for (const code of Object.keys(closed)) assert.match(code, /^(100[0-9]|101[0-5]|[34]\d{3})$/);
});

test("they say what drives the connections: what serve was told, and sockets with mount", async () => {
  for (const transport of ["handle", "socket"] as const) {
    const server = await serve({ port: 0, host: "127.0.0.1", transport, message() {} });
    assert.equal(server.stats().transport, transport);
    await server.close();
  }
  assert.equal(mount(createServer(), { message() {} }).stats().transport, "socket");
});
