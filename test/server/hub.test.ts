import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServalError } from "../../src/core/index.ts";
import { Response } from "../../src/http/index.ts";
import type { Hub } from "../../src/server/hub.ts";
import type { ServerOptions, ServerWebSocket } from "../../src/server/index.ts";
import type { Deflater } from "../../src/websocket/deflate/deflate.ts";
import { prepare } from "../../src/websocket/index.ts";
import { close as closeFrame, framesIn, ping, text, wholeFrames } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { requestOf } from "../websocket/support/requests.ts";
import { until } from "../support/until.ts";
import { connect, hubOf, leave, opened, type Client } from "./support/kit.ts";

const offer = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } };

/** The bytes of all frames that a client has received. */
function bytesOf({ peer }: Client): Uint8Array {
  const head = Buffer.from(peer.received).indexOf("\r\n\r\n") + 4;
  return peer.received.subarray(head);
}

async function several<Data>(hub: Hub<Data>, count: number, options?: Parameters<typeof connect>[1]) {
  return Promise.all(Array.from({ length: count }, () => opened(hub, options)));
}

describe("publish", () => {
  test("takes the options of a message, and none of another library's", async () => {
    const { hub } = hubOf();
    const { ws } = await opened(hub);
    for (const [wrong, message] of [
      [true, "publish takes a plain object, such as { compress: false }, not true"],
      [{ kind: "txt" }, 'kind must be "text" or "binary", not "txt"'],
      [{ Kind: "text" }, 'publish has no option "Kind": did you mean kind?'],
    ] as const) {
      for (const publisher of [hub, ws]) {
        for (const data of ["x", prepare("x")]) {
          assert.throws(() => publisher.publish("news", data, wrong as never), {
            code: "core.invalid_argument",
            message,
          });
        }
      }
    }
  });

  test("sends to all subscribers, and returns how many", async () => {
    const { hub } = hubOf();
    const [first, second, third] = await several(hub, 3);
    assert.equal(hub.publish("news", "nobody hears", undefined), 0);
    assert.ok(first!.ws.subscribe("news"));
    assert.ok(second!.ws.subscribe("news"));
    assert.ok(third!.ws.subscribe("other"));
    assert.equal(hub.publish("news", "héllo", undefined), 2);
    assert.equal(hub.publish("news", Uint8Array.of(1, 2), undefined), 2);
    assert.equal(hub.publish("news", Uint8Array.from(Buffer.from("text")), { kind: "text" }), 2);
    await quiet();
    for (const client of [first!, second!])
      assert.deepEqual(client.peer.frames, ["text héllo", "binary 0102", "text text"]);
    assert.deepEqual(third!.peer.frames, []);
  });

  test("through a socket goes to the others only", async () => {
    const { hub } = hubOf();
    const [first, second, outside] = await several(hub, 3);
    first!.ws.subscribe("news");
    second!.ws.subscribe("news");
    assert.equal(first!.ws.publish("news", "from the first"), 1);
    assert.equal(outside!.ws.publish("news", "from outside"), 2);
    await quiet();
    assert.deepEqual(first!.peer.frames, ["text from outside"]);
    assert.deepEqual(second!.peer.frames, ["text from the first", "text from outside"]);
  });

  test("accepts a prepared message", async () => {
    const { hub } = hubOf();
    const client = await opened(hub);
    client.ws.subscribe("news");
    const news = prepare("ready");
    assert.equal(hub.publish("news", news, undefined), 1);
    assert.equal(hub.publish("news", news, undefined), 1);
    await quiet();
    assert.deepEqual(client.peer.frames, ["text ready", "text ready"]);
  });

  test("copies the message: its bytes may change at once", async () => {
    const { hub } = hubOf();
    const client = await opened(hub);
    client.ws.subscribe("news");
    const bytes = new Uint8Array(100_000).fill(7);
    hub.publish("news", bytes, undefined);
    bytes.fill(0xdb);
    await quiet();
    assert.ok(framesIn(bytesOf(client))[0]!.payload.every((byte) => byte === 7));
  });

  test("throws for an invalid message or topic, even without subscribers", () => {
    const { hub } = hubOf();
    for (const wrong of [undefined, 5, null, {}, [Uint8Array.of(1)]]) {
      assert.throws(() => hub.publish("news", wrong as string, undefined), { code: "core.invalid_argument" });
    }
    for (const wrong of [undefined, 5, null, {}]) {
      assert.throws(() => hub.publish(wrong as unknown as string, "x", undefined), { code: "core.invalid_argument" });
      assert.throws(() => hub.subscribers(wrong as unknown as string), { code: "core.invalid_argument" });
    }
  });

  test("to 10,000, in order, and each gets all messages", async () => {
    const { hub } = hubOf();
    const clients = await several(hub, 10_000);
    for (const { ws } of clients) ws.subscribe("news");
    assert.equal(hub.statistics().subscriptions, 10_000);
    assert.equal(hub.publish("news", "first", undefined), 10_000);
    assert.equal(hub.publish("news", "second", undefined), 10_000);
    await quiet();
    for (const { peer } of clients) assert.deepEqual(peer.frames, ["text first", "text second"]);
    assert.equal(hub.statistics().messagesSent, 20_000);
  });

  test("from the handlers open, message and close", async () => {
    const { hub } = hubOf({
      open(ws) {
        ws.subscribe("room");
        ws.publish("room", "someone is here");
      },
      message: (ws, message) => void ws.publish("room", message),
      close(ws, { code }) {
        assert.equal(ws.publish("room", `left with ${code}`), 1);
      },
    });
    const first = await opened(hub);
    const second = await opened(hub);
    await second.peer.write(text("hello"));
    await leave(second);
    assert.deepEqual(first.peer.frames, ["text someone is here", "text hello", "text left with 1000"]);
    assert.deepEqual(second.peer.frames, ["close 1000"]);
  });

  test("leaves out sockets that are opening, closing or closed", async () => {
    const { hub } = hubOf();
    const [staying, closing, gone] = await several(hub, 3);
    const opening = connect(hub);
    for (const { ws } of [staying!, closing!, gone!, opening]) assert.ok(ws.subscribe("news"));
    void closing!.ws.close();
    gone!.ws.terminate();
    assert.equal(hub.publish("news", "x", undefined), 1);
    await quiet();
    assert.equal(hub.publish("news", "y", undefined), 2);
    await quiet();
    assert.deepEqual(opening.peer.frames, ["text y"]);
    assert.deepEqual(closing!.peer.frames, ["close 1000"]);
  });

  test("allows subscribing and unsubscribing meanwhile", async () => {
    const { hub } = hubOf({ highWaterMark: 1 });
    const clients = await several(hub, 5);
    for (const { ws } of clients) ws.subscribe("news");
    const { subscribe, unsubscribe } = await import("node:diagnostics_channel");
    // The one moment at which others run inside of a publish.
    const meddle = (): void => {
      clients[1]!.ws.unsubscribe("news");
      clients[4]!.ws.unsubscribe("news");
      clients[0]!.ws.unsubscribe("news");
      clients[0]!.ws.subscribe("other");
    };
    subscribe("serval:backpressure", meddle);
    try {
      assert.equal(hub.publish("news", "x", undefined), 3);
    } finally {
      unsubscribe("serval:backpressure", meddle);
    }
    assert.equal(hub.subscribers("news").size, 2);
    assert.equal(hub.subscribers("other").size, 1);
  });
});

describe("compression", () => {
  const message = "the same words, the same words, the same words, ".repeat(20).trimEnd();

  test("sends the same bytes to connections that negotiated compression, and plain ones to the others", async () => {
    const { hub } = hubOf({ deflate: true });
    const deflated = await several(hub, 3, offer);
    const plain = await opened(hub);
    for (const { ws } of [...deflated, plain]) ws.subscribe("news");
    assert.equal(hub.publish("news", message, undefined), 4);
    await quiet();
    const [first, ...others] = deflated.map(bytesOf);
    const [sent] = framesIn(first!);
    assert.equal(sent!.rsv, 4);
    assert.ok(first!.length < message.length / 2);
    for (const each of others) assert.deepEqual(each, first);
    assert.deepEqual(plain.peer.frames, [`text ${message}`]);
  });

  for (const size of [1000, 1 << 20]) {
    test(`of ${size} bytes is compressed once for all, whatever happens to the first`, async () => {
      const { hub } = hubOf({ deflate: true, maxBufferedAmount: Infinity });
      const [leaver, ...clients] = await several(hub, 20, offer);
      for (const { ws } of [leaver!, ...clients]) ws.subscribe("news");
      const news = prepare(Uint8Array.from({ length: size }, (_, i) => i >> 4));
      hub.publish("news", news, undefined);
      leaver!.ws.terminate();
      await until(() => clients.every((client) => wholeFrames(bytesOf(client)) > 0));
      const [first, ...others] = clients.map(bytesOf);
      for (const each of others) assert.ok(Buffer.from(each).equals(first!));
      // Whoever wants it deflated now gets what is there.
      const again = (): never => assert.fail("deflated again");
      const deflater = { windowBits: 15, deflate: again, alike: again } as unknown as Deflater;
      assert.deepEqual(Buffer.from(news.deflatedFrame(deflater)), Buffer.from(first!));
    });
  }

  test("is not compressed if the message says so", async () => {
    const { hub } = hubOf({ deflate: true });
    const client = await opened(hub, offer);
    client.ws.subscribe("news");
    hub.publish("news", message, { compress: false });
    await quiet();
    assert.equal(framesIn(bytesOf(client))[0]!.rsv, 0);
  });
});

describe("a subscriber that never reads", () => {
  const chunk = new Uint8Array(30_000);

  for (const overflow of ["close", "drop", "wait"] as const) {
    test(`costs the others nothing, with overflow: "${overflow}"`, async () => {
      const errors: string[] = [];
      const { hub, clock } = hubOf({
        overflow,
        maxBufferedAmount: 100_000,
        error: (_, { code }) => errors.push(code),
      });
      const [reader] = await several(hub, 1);
      const stuck = await opened(hub, { capacity: 1000 });
      stuck.peer.pause();
      for (const { ws } of [reader!, stuck]) ws.subscribe("news");
      const counts: number[] = [];
      for (let i = 0; i < 10; i++) {
        counts.push(hub.publish("news", chunk, undefined));
        await quiet();
      }
      // What is sent, of what is published, is what is there to be sent: four messages go over 100,000 bytes.
      assert.deepEqual(counts, [2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
      assert.equal(framesIn(bytesOf(reader!)).length, 10);
      const { limits, errors: codes, messagesSent } = hub.statistics();
      assert.equal(limits.maxBufferedAmount, overflow === "close" ? 1 : 6);
      assert.deepEqual(codes, overflow === "close" ? { "websocket.queue_overflow": 1 } : {});
      assert.deepEqual(errors, overflow === "close" ? ["websocket.queue_overflow"] : []);
      assert.equal(stuck.ws.isOpen, overflow !== "close");
      assert.ok(stuck.ws.bufferedAmount < 130_000);
      assert.ok(messagesSent >= 10);
      for (const ws of hub.sockets) ws.terminate();
      await quiet();
      assert.deepEqual([hub.sockets.size, hub.statistics().subscriptions, clock.pending], [0, 0, 0]);
    });
  }
});

describe("a subscriber that never reads, after a message that can't be framed at once", () => {
  for (const overflow of ["close", "drop", "wait"] as const) {
    test(`holds no number of empty messages, with overflow: "${overflow}"`, async () => {
      const { hub } = hubOf({ overflow, maxBufferedAmount: 300_000 });
      const stuck = await opened(hub, { capacity: 1000 });
      stuck.peer.pause();
      stuck.ws.subscribe("news");
      hub.publish("news", new Uint8Array(200_000), undefined);
      await quiet();
      let sent = 0;
      for (let i = 0; i < 2000; i++) sent += hub.publish("news", "", undefined);
      await quiet();
      assert.ok(sent > 0 && sent <= 300, `${sent} of 2000 wait`);
      assert.equal(stuck.ws.isOpen, overflow !== "close");
      for (const ws of hub.sockets) ws.terminate();
      await quiet();
    });
  }
});

describe("before the handshake", () => {
  test("a page of another origin is refused, with the option that would allow it", async () => {
    const { hub } = hubOf();
    const refusal = hub.refusal(requestOf({ Origin: "https://evil.example" }), undefined)!;
    assert.equal(refusal.status, 403);
    assert.match(await refusal.text(), /https:\/\/evil\.example .*\(see the option origins\)/);
    assert.equal(hub.refusal(requestOf(), undefined), undefined);
    assert.equal(hub.statistics().refused.origins, 1);
  });

  test("a draining server refuses, and says when to come back", async () => {
    const { hub, clock } = hubOf();
    await opened(hub);
    void hub.drain({ timeout: 10_000 });
    await clock.advance(2500);
    const { status, headers } = hub.refusal(requestOf(), undefined)!;
    assert.deepEqual([status, headers.get("Retry-After"), headers.get("Connection")], [503, "8", "close"]);
    assert.equal(hub.statistics().refused.draining, 1);
  });

  test("a proxy is not counted, but its clients are", () => {
    const { hub } = hubOf({ maxConnectionsPerAddress: 1, proxies: { trusted: ["10.0.0.1"] } });
    for (let i = 0; i < 3; i++) assert.ok(hub.enter({ address: "10.0.0.1" }));
    assert.ok(hub.enter({ address: "10.0.0.2" }));
    assert.equal(hub.enter({ address: "10.0.0.2" }), undefined);
    assert.equal(hub.statistics().refused.maxConnectionsPerAddress, 1);
    assert.equal(hub.admission.addresses, 1);
  });
});

describe("a connection's place becomes free again", () => {
  const client = { address: "192.0.2.1" };
  const failure = new Error("mine");
  const cases: Record<
    string,
    { options?: ServerOptions; act?: (one: Client) => unknown; headers?: Record<string, string> }
  > = {
    "after a close by the client": { act: (one) => one.peer.write(closeFrame(1000)).then(() => one.peer.stream.end()) },
    "after a close by us": {
      act: async (one) => {
        void one.ws.close();
        await leave(one);
      },
    },
    "after the end without a close": { act: ({ peer }) => peer.stream.end() },
    "after a reset": { act: ({ peer }) => peer.stream.reset() },
    "after terminate": { act: ({ ws }) => ws.terminate() },
    "after a violation": { act: async ({ peer }) => (await peer.write(ping("x", { fin: false })), peer.stream.end()) },
    "after a malformed handshake": { headers: { "Sec-WebSocket-Version": "8" }, act: ({ peer }) => peer.stream.end() },
    "after an upgrade that was declined": {
      options: { upgrade: () => new Response({ status: 401 }) },
      act: ({ peer }) => peer.stream.end(),
    },
    "after an upgrade that threw": {
      options: {
        upgrade: () => {
          throw failure;
        },
        error: () => {},
      },
      act: ({ peer }) => peer.stream.end(),
    },
    "after an upgrade that rejected": {
      options: { upgrade: () => Promise.reject(failure), error: () => {} },
      act: ({ peer }) => peer.stream.end(),
    },
    "after an upgrade that never settled": { options: { upgrade: () => new Promise<void>(() => {}) } },
    "after terminate while the upgrade is considered": {
      options: { upgrade: () => new Promise<void>(() => {}) },
      act: ({ ws }) => ws.terminate(),
    },
    "after a refusal that the client never read to its end": {
      options: { upgrade: () => new Response({ status: 401 }) },
    },
    "after a handler that threw": {
      options: {
        open: () => {
          throw failure;
        },
        error: () => {},
      },
      act: leave,
    },
  };
  for (const [what, { options, act, headers }] of Object.entries(cases)) {
    test(what, async () => {
      const { hub, clock } = hubOf({ maxConnectionsPerAddress: 1, ...options });
      const one = connect(hub, { client, ...(headers && { headers }) });
      assert.equal(hub.enter(client), undefined);
      await quiet();
      await act?.(one);
      await clock.advance(1000);
      assert.deepEqual([hub.admission.addresses, hub.sockets.size, clock.pending], [0, 0, 0]);
    });
  }
});

test("failed hooks are reported to error with their socket", async () => {
  const told: [ServerWebSocket, ServalError][] = [];
  const failure = new Error("mine");
  const { hub } = hubOf({
    upgrade: () => {
      throw failure;
    },
    error: (ws, error) => told.push([ws, error]),
  });
  const { ws, peer } = await opened(hub);
  assert.deepEqual(
    told.map(([each, { cause }]) => [each === ws, cause]),
    [[true, failure]],
  );
  assert.equal(peer.response?.status, 500);
});

test("subscriptions and topics are counted, and end with their socket", async () => {
  const { hub } = hubOf();
  const [first, second] = await several(hub, 2);
  for (const topic of ["a", "b", "c"]) first!.ws.subscribe(topic);
  second!.ws.subscribe("a");
  assert.deepEqual([hub.subscribers("a").size, hub.subscribers("z").size], [2, 0]);
  const before = hub.statistics();
  assert.deepEqual([before.topics, before.subscriptions, before.sockets], [3, 4, 2]);
  first!.ws.terminate();
  await quiet();
  const after = hub.statistics();
  assert.deepEqual([after.topics, after.subscriptions, after.sockets], [1, 1, 1]);
  assert.deepEqual([...first!.ws.topics], ["a", "b", "c"]);
});
