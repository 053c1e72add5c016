import assert from "node:assert/strict";
import { it } from "node:test";
import { coreError } from "../../../src/core/index.ts";
import { asksToSwitch, RequestExchange } from "../../../src/http/server/exchange.ts";
import { Request, type RequestInit } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";

/** An exchange, and what it has asked of its connection. */
function exchangeOf(init: RequestInit = {}): { exchange: RequestExchange; asked: string[] } {
  const [stream] = pair();
  const asked: string[] = [];
  const owner = {
    stream,
    watch: () => void asked.push("watch"),
    release: () => {
      asked.push("release");
      return Uint8Array.of(1);
    },
  };
  return { exchange: new RequestExchange(new Request(init), owner), asked };
}

it("asks its connection to watch when the signal is looked at while the client waits, once", () => {
  const { exchange, asked } = exchangeOf();
  assert.equal(exchange.isWatched, false);
  exchange.isPending = true;
  assert.equal(exchange.isWatched, false);
  const { signal } = exchange;
  assert.equal(exchange.signal, signal);
  assert.deepEqual([asked, exchange.isWatched], [["watch"], true]);
});

it("does not where the handler has not returned, nor where the response is sent", () => {
  const { exchange, asked } = exchangeOf();
  assert.equal(exchange.signal.aborted, false);
  assert.deepEqual([asked, exchange.isWatched], [[], false]);
  exchange.isPending = true;
  assert.equal(exchange.isWatched, true);
  exchange.isPending = false;
  assert.equal(exchange.isWatched, false);
});

it("is not watched where the stream may be released, or the connection ends", () => {
  for (const init of [
    { method: "CONNECT" },
    { headers: { Upgrade: "x" } },
    { headers: { Connection: "close" } },
    { version: 10, headers: { Connection: "keep-alive" } },
  ]) {
    const { exchange } = exchangeOf(init);
    exchange.isPending = true;
    assert.ok(!exchange.signal.aborted);
    assert.equal(exchange.isWatched, false, JSON.stringify(init));
  }
});

it("aborts with the first error, not inside the call, and at once for who asks later", async () => {
  const [first, second] = [coreError("core.connection_reset"), coreError("core.aborted")];
  const { exchange } = exchangeOf();
  const { signal } = exchange;
  exchange.fail(first);
  exchange.fail(second);
  assert.equal(signal.aborted, false);
  await undefined;
  assert.equal(signal.reason, first);
  const late = exchangeOf();
  late.exchange.isPending = true;
  late.exchange.fail(second);
  assert.equal(late.exchange.signal.reason, second);
  assert.deepEqual(late.asked, []);
});

it("releases the stream of its connection", () => {
  const { exchange, asked } = exchangeOf();
  assert.deepEqual([...exchange.release()], [1]);
  assert.deepEqual(asked, ["release"]);
  assert.equal(exchange.stream.peer, undefined);
});

it("a request asks for another protocol by Upgrade, and by CONNECT", () => {
  assert.ok(asksToSwitch(new Request({ headers: { Upgrade: "x" } })));
  assert.ok(asksToSwitch(new Request({ method: "CONNECT" })));
  assert.ok(!asksToSwitch(new Request({ headers: { Connection: "upgrade" } })));
});
