import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import * as other from "ws";
import * as ours from "../../src/ws/index.ts";

const load = createRequire(import.meta.url);

describe("the module", () => {
  it("has the exports of ws, and what `require` returns", () => {
    assert.deepEqual(Object.keys(ours).toSorted(), [...Object.keys(other), "module.exports"].toSorted());
  });

  it("is the class for `require`, with the properties of ws' own", () => {
    const required = load("../../src/ws/index.js") as typeof ours.WebSocket;
    assert.equal(required, ours.WebSocket);
    assert.equal(required, ours.default);
    assert.deepEqual(Object.keys(required).toSorted(), Object.keys(load("ws") as object).toSorted());
    assert.equal(required.Server, ours.WebSocketServer);
    assert.equal(required.WebSocket, required);
  });

  it("has methods of as many arguments as those of ws", () => {
    const arity = (prototype: object): Record<string, number> => {
      const all = Object.entries(Object.getOwnPropertyDescriptors(prototype));
      const methods = all.filter(([name, { value }]) => typeof value === "function" && !name.startsWith("_"));
      return Object.fromEntries(methods.map(([name, { value }]) => [name, (value as () => void).length]));
    };
    const mine = arity(ours.WebSocket.prototype);
    const theirs = arity(other.WebSocket.prototype);
    // The constructor's first argument is the URL.
    for (const [name, count] of Object.entries(theirs)) {
      if (name !== "constructor") assert.deepEqual([name, mine[name]], [name, count]);
    }
  });
});
