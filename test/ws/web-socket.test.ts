import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "node:test";
import ws from "ws";
import { WebSocket } from "../../src/ws/web-socket.ts";
import { describeFrames } from "../websocket/support/frames.ts";
import { closed, wsPair } from "./support/pair.ts";

/** What a program sees of a class: the properties with their attributes. */
function shapeOf(object: object): Record<string, unknown> {
  const entries = Object.entries(Object.getOwnPropertyDescriptors(object)).filter(([name]) => !name.startsWith("_"));
  const shown = entries.map(([name, { value, get, set, enumerable }]) => {
    const length = typeof value === "function" ? (value as () => void).length : undefined;
    return [
      name,
      { kind: typeof value, length, number: Number(value), enumerable, get: Boolean(get), set: Boolean(set) },
    ];
  });
  return Object.fromEntries(shown) as Record<string, unknown>;
}

describe("the class", () => {
  it("has the constants and members that ws has", () => {
    const [ours, theirs] = [shapeOf(WebSocket.prototype), shapeOf(ws.prototype)];
    assert.ok("readyState" in theirs);
    for (const [name, member] of Object.entries(theirs)) {
      // Its listeners have three parameters there, and none less here.
      const { length: _, ...expected } = member as { length?: number };
      const { length: __, ...actual } = (ours[name] ?? {}) as { length?: number };
      // A method of a class can't be listed, and two of theirs can.
      if (name.endsWith("EventListener")) Object.assign(actual, { enumerable: true });
      assert.deepEqual(actual, expected, name);
    }
    for (const name of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const) assert.equal(WebSocket[name], ws[name]);
  });
});

describe("before it is open", () => {
  it("throws what it can't send, and ignores pause and resume", () => {
    const one = new WebSocket(null);
    for (const call of [() => one.send("x"), () => one.ping(), () => one.pong()]) {
      assert.throws(call, { name: "Error", message: "WebSocket is not open: readyState 0 (CONNECTING)" });
    }
    one.pause();
    assert.equal(one.isPaused, false);
    assert.deepEqual([one.bufferedAmount, one.extensions, one.protocol, one.url], [0, "", "", undefined]);
  });
});

describe("send, ping and pong", () => {
  it("take numbers, nothing, and the callback in any place", async () => {
    const { server, ends } = wsPair();
    const told: string[] = [];
    server.send(0);
    server.send(null);
    server.send("");
    server.send("a", () => told.push("send"));
    server.ping(() => told.push("ping"));
    server.ping("p", () => told.push("ping p"));
    server.pong(7, false, () => told.push("pong"));
    await turn();
    for (const noOptions of [10, null, "a"]) server.send("b", noOptions as never);
    await turn();
    assert.deepEqual(told, ["send", "ping", "ping p", "pong"]);
    const noted = ["text b", "text b", "text b"];
    const expected = ["text 0", "binary", "text", "text a", "ping", "ping 70", "pong 37", ...noted];
    assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), expected);
  });

  it("after the end count the bytes, and call back with an error", async () => {
    const { server, client } = wsPair();
    const gone = closed(server);
    client.close();
    await gone;
    const errors: string[] = [];
    const note = (error?: Error | null): void => void errors.push(String(error?.message));
    server.send("héllo", note);
    server.ping(Buffer.alloc(3), note);
    assert.equal(server.bufferedAmount, 9);
    assert.deepEqual(errors, []);
    await turn();
    assert.deepEqual(
      errors,
      Array.from({ length: 2 }, () => "WebSocket is not open: readyState 3 (CLOSED)"),
    );
  });

  it("lose nothing if the socket is ended or destroyed in the same turn", async () => {
    for (const end of [
      (one: WebSocket) => one.terminate(),
      (one: WebSocket) => one._socket!.destroy(),
      (one: WebSocket) => one._socket!.end(),
    ]) {
      const { server, ends } = wsPair();
      for (const text of ["a", "b", "c"]) server.send(text);
      end(server);
      await turn();
      assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), ["text a", "text b", "text c"]);
    }
  });
});

describe("pause and resume", () => {
  it("hold the messages that are not read yet", async () => {
    const { server, client } = wsPair();
    const texts: string[] = [];
    server.on("message", (data: Buffer) => texts.push(data.toString()));
    server.pause();
    await turn();
    client.send("a");
    await turn();
    assert.deepEqual([texts, server.isPaused], [[], true]);
    server.resume();
    await turn();
    assert.deepEqual([texts, server.isPaused], [["a"], false]);
  });
});

describe("listeners of an EventTarget", () => {
  it("get events of open, message and close", async () => {
    const { server, client } = wsPair();
    const seen: unknown[] = [];
    const attributes = server as unknown as Record<string, unknown>;
    attributes["onmessage"] = (event: { data: unknown }) => seen.push(event.data);
    server.addEventListener("close", ((event: { code: number; wasClean: boolean; target: unknown }) =>
      seen.push(event.code, event.wasClean, event.target === server)) as never);
    const gone = closed(server);
    client.send("a");
    client.close(4000);
    await gone;
    assert.deepEqual(seen, ["a", 4000, true, true]);
  });
});

describe("_sender", () => {
  it("sends frames that were made before", () => {
    const { server, ends } = wsPair();
    server._sender!.sendFrame([Buffer.of(0x81, 1), Buffer.from("a")]);
    assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), ["text a"]);
  });
});

describe("new WebSocket", () => {
  it("refuses invalid URLs", () => {
    assert.throws(() => new WebSocket("x"), { name: "SyntaxError", message: "Invalid URL: x" });
    assert.throws(() => new WebSocket("ws://localhost/#a"), { name: "SyntaxError" });
  });
});
