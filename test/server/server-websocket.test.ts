import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import type { ServerWebSocket } from "../../src/server/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { deferred, quiet } from "../support/quiet.ts";
import { connect, hubOf, leave, opened } from "./support/kit.ts";

test("it is a Stream, with the client as its peer and the data of the upgrade", async () => {
  const { hub } = hubOf<{ user: string }>({ upgrade: (_, peer) => ({ data: { user: `from ${peer?.address}` } }) });
  const { ws } = await opened(hub, { client: { address: "192.0.2.1" } });
  assert.ok(ws instanceof Stream);
  assert.deepEqual([ws.peer, ws.data.user, ws.isOpen], [{ address: "192.0.2.1" }, "from 192.0.2.1", true]);
});

test("it subscribes once, and unsubscribes once", async () => {
  const { hub } = hubOf();
  const { ws } = await opened(hub);
  assert.deepEqual([...ws.topics], []);
  assert.deepEqual([ws.subscribe("a"), ws.subscribe("a"), ws.subscribe("b")], [true, false, true]);
  assert.deepEqual([...ws.topics], ["a", "b"]);
  assert.equal(hub.statistics().subscriptions, 2);
  assert.deepEqual([ws.unsubscribe("c"), ws.unsubscribe("a"), ws.unsubscribe("a")], [false, true, false]);
  assert.deepEqual([[...ws.topics], hub.subscribers("a").size, hub.subscribers("b").size], [["b"], 0, 1]);
});

test("it may subscribe while it opens, and gets messages once it is open", async () => {
  const { hub } = hubOf();
  const { ws, peer } = connect(hub);
  assert.ok(ws.subscribe("a"));
  assert.equal(hub.publish("a", "too early", undefined), 0);
  await quiet();
  assert.equal(hub.publish("a", "in time", undefined), 1);
  await quiet();
  assert.deepEqual(peer.frames, ["text in time"]);
});

test("one that never opens leaves no subscription", async () => {
  const { hub } = hubOf({ upgrade: () => new Promise<void>(() => {}) });
  const { ws } = connect(hub);
  ws.subscribe("a");
  ws.terminate();
  await quiet();
  assert.deepEqual([hub.statistics().topics, [...ws.topics], ws.subscribe("a")], [0, ["a"], false]);
});

test("its subscriptions end with it, before its handler close, which still has its topics, and it can't make new ones", async () => {
  const seen: unknown[] = [];
  const { hub } = hubOf({
    close: (ws) =>
      void seen.push([...ws.topics], hub.statistics().subscriptions, ws.subscribe("a"), ws.unsubscribe("a")),
  });
  const one = await opened(hub);
  one.ws.subscribe("a");
  one.ws.subscribe("b");
  void one.ws.close();
  // It is there until the end: whoever leaves may still be told apart.
  assert.equal(hub.subscribers("a").size, 1);
  await leave(one);
  assert.deepEqual(seen, [["a", "b"], 0, false, false]);
  assert.deepEqual([...one.ws.topics], ["a", "b"]);
  assert.equal(one.ws.subscribe("a"), false);
  assert.equal(hub.statistics().topics, 0);
});

test("unsubscribing while iterating over topics is allowed", async () => {
  const { hub } = hubOf();
  const { ws } = await opened(hub);
  for (let i = 0; i < 10; i++) ws.subscribe(`${i}`);
  for (const topic of ws.topics) ws.unsubscribe(topic);
  assert.equal(hub.statistics().topics, 0);
});

test("a topic that is no string is misuse", async () => {
  const { hub } = hubOf();
  const { ws } = await opened(hub);
  for (const wrong of [undefined, 1, {}, ["a"]]) {
    assert.throws(() => ws.subscribe(wrong as unknown as string), { code: "core.invalid_argument" });
    assert.throws(() => ws.unsubscribe(wrong as unknown as string), {
      code: "core.invalid_argument",
      message: /A topic must be a string/,
    });
    assert.throws(() => ws.publish(wrong as unknown as string, "x"), { code: "core.invalid_argument" });
  }
  assert.equal(hub.statistics().topics, 0);
});

test("after its own end it still publishes to the others", async () => {
  const { hub } = hubOf();
  const [gone, other] = [await opened(hub), await opened(hub)];
  for (const { ws } of [gone, other]) (ws as ServerWebSocket).subscribe("a");
  gone.ws.terminate();
  assert.equal(gone.ws.publish("a", "last"), 1);
  await quiet();
  assert.equal(gone.ws.publish("a", "very last"), 1);
  await quiet();
  assert.deepEqual(other.peer.frames, ["text last", "text very last"]);
});

test("subscribe and unsubscribe are told of each change, after it, at the end before close, in the socket's context", async (t) => {
  t.mock.method(console, "error", () => {});
  const storage = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const tell =
    (what: string) =>
    (ws: ServerWebSocket, topic?: unknown): void =>
      void seen.push(
        [
          what,
          ...(typeof topic === "string" ? [topic, hub.subscribers(topic).size] : [[...ws.topics].join()]),
          storage.getStore(),
        ].join(" "),
      );
  const { hub } = hubOf({
    subscribe: tell("+"),
    unsubscribe(ws, topic) {
      tell("-")(ws, topic);
      // A failure harms nobody, and one that has ended can't come back.
      ws.subscribe(topic === "b" ? "c" : "b");
      throw new Error("mine");
    },
    close: tell("close"),
  });
  const [one, other] = await storage.run("own", async () => [await opened(hub), await opened(hub)]);
  storage.run("foreign", () => {
    one.ws.subscribe("a");
    one.ws.subscribe("a");
    other.ws.subscribe("a");
    one.ws.unsubscribe("a");
    one.ws.unsubscribe("a");
    void one.ws.close();
  });
  await leave(one);
  assert.deepEqual(seen, ["+ a 1 own", "+ a 2 own", "- a 1 own", "+ b 1 own", "- b 0 own", "close b own"]);
  assert.deepEqual([[...hub.subscribers("a")], [...hub.subscribers("b")]], [[other.ws], []]);
});

for (const name of ["subscribe", "unsubscribe"] as const) {
  for (const [how, fail] of [
    [
      "throws",
      (): never => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
  ] as const) {
    test(`a handler ${name} that ${how} closes its connection with 1011, and goes to error`, async () => {
      const seen: string[] = [];
      const { hub } = hubOf({
        [name]: fail,
        error: (_, { code, cause }) => void seen.push(`${code} ${(cause as Error).message}`),
        close: (_, { code }) => void seen.push(`${code}`),
      });
      const one = await opened(hub);
      assert.ok(one.ws.subscribe("a"));
      if (name === "unsubscribe") assert.ok(one.ws.unsubscribe("a"));
      await quiet();
      assert.deepEqual([seen, one.peer.frames], [["websocket.handler_failed mine"], ["close 1011"]]);
      await leave(one);
      assert.deepEqual(hub.statistics().errors, { "websocket.handler_failed": 1 });
    });
  }
}

test("an unsubscribe that throws at the end of its connection goes to error, before close", async () => {
  const seen: string[] = [];
  const { hub } = hubOf({
    unsubscribe() {
      throw new Error("mine");
    },
    error: (_, { code }) => void seen.push(code),
    close: () => void seen.push("close"),
  });
  const one = await opened(hub);
  one.ws.subscribe("a");
  await leave(one);
  assert.deepEqual(seen, ["websocket.handler_failed", "close"]);
  assert.deepEqual(hub.statistics().errors, { "websocket.handler_failed": 1 });
});

test("one that rejects after the end goes to the console, since close was the last handler", async (t) => {
  const { mock } = t.mock.method(console, "error", () => {});
  const saving = deferred();
  const { hub } = hubOf({ unsubscribe: () => saving.promise, error: () => assert.fail("called") });
  const one = await opened(hub);
  one.ws.subscribe("a");
  await leave(one);
  saving.reject(new Error("mine"));
  await quiet();
  assert.deepEqual(
    mock.calls.map(({ arguments: [error] }) => (error as Error).message),
    ["mine"],
  );
  assert.deepEqual(hub.statistics().errors, { "websocket.handler_failed": 1 });
});

test("a drain waits for the promises of unsubscribe", async () => {
  const saving = deferred();
  const { hub } = hubOf({ unsubscribe: () => saving.promise });
  const one = await opened(hub);
  one.ws.subscribe("a");
  let isDrained = false;
  const drained = hub.drain(undefined).then(() => (isDrained = true));
  await quiet();
  await leave(one);
  assert.deepEqual([hub.connections, isDrained], [0, false]);
  saving.resolve();
  await drained;
});

test("the handlers of subscriptions must be functions", () => {
  for (const name of ["subscribe", "unsubscribe"]) {
    assert.throws(() => hubOf({ [name]: "news" }), { code: "core.invalid_argument", message: new RegExp(name) });
  }
});
