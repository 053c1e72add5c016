import assert from "node:assert/strict";
import { test } from "node:test";
import { Topics } from "../../src/server/topics.ts";
import { fc } from "../support/property.ts";

test("a topic exists while someone is subscribed to it", () => {
  const topics = new Topics<string>();
  assert.deepEqual([topics.size, topics.subscriptions, topics.of("a")], [0, 0, undefined]);
  assert.ok(topics.add("a", "x"));
  assert.ok(topics.add("a", "y"));
  assert.ok(topics.add("", "x"));
  assert.deepEqual([topics.size, topics.subscriptions, [...topics.of("a")!]], [2, 3, ["x", "y"]]);
  assert.ok(topics.delete("a", "x"));
  assert.ok(topics.delete("a", "y"));
  assert.deepEqual([topics.size, topics.subscriptions, topics.of("a")], [1, 1, undefined]);
});

test("subscribing twice counts once, and unsubscribing without a subscription does nothing", () => {
  const topics = new Topics<string>();
  assert.ok(topics.add("a", "x"));
  assert.ok(!topics.add("a", "x"));
  assert.ok(!topics.delete("a", "y"));
  assert.ok(!topics.delete("b", "x"));
  assert.deepEqual([topics.size, topics.subscriptions], [1, 1]);
  assert.ok(topics.delete("a", "x"));
  assert.ok(!topics.delete("a", "x"));
  assert.deepEqual([topics.size, topics.subscriptions], [0, 0]);
});

test("names are compared literally, also those of Object's own members", () => {
  const topics = new Topics<string>();
  const names = ["__proto__", "constructor", "a", "A", "a ", "*", "\u00e9", "e\u0301"];
  for (const name of names) assert.ok(topics.add(name, name));
  assert.equal(topics.size, names.length);
  for (const name of names) assert.deepEqual([...topics.of(name)!], [name]);
});

test("any sequence of both leaves what a set of pairs would", () => {
  const step = fc.record({ adds: fc.boolean(), topic: fc.nat(3).map(String), subscriber: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const topics = new Topics<number>();
      const pairs = new Set<string>();
      for (const { adds, topic, subscriber } of steps) {
        const pair = `${topic} ${subscriber}`;
        const had = pairs.has(pair);
        assert.equal(adds ? topics.add(topic, subscriber) : topics.delete(topic, subscriber), adds !== had);
        if (adds) pairs.add(pair);
        else pairs.delete(pair);
      }
      const names = new Set([...pairs].map((pair) => pair[0]!));
      assert.deepEqual([topics.size, topics.subscriptions], [names.size, pairs.size]);
      for (const name of names) {
        assert.deepEqual(
          new Set([...topics.of(name)!].map((subscriber) => `${name} ${subscriber}`)),
          new Set([...pairs].filter((pair) => pair.startsWith(name))),
        );
      }
    }),
  );
});
