import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ofOtherLibraries } from "../../src/core/foreign-options.ts";

const server =
  "open message drain control close error upgrade decorate deflate timeouts overflow origins proxies port tls fetch";
const client = "open message control close deflate timeouts headers protocols redirects proxy tls text";
const takers = { server, client, forever: "redirects backoff retry", reader: "signal", closer: "code reason signal" };

describe("names of other libraries", () => {
  for (const [taker, name, advice] of [
    ["server", "closeTimeout", "did you mean timeouts.handshake?"],
    ["server", "closeOnBackpressureLimit", "did you mean overflow?"],
    ["server", "pong", "the handler control gets pings and pongs"],
    ["server", "protocols", "the hook upgrade chooses, by { protocol } in its result"],
    ["server", "subprotocols", "the hook upgrade chooses, by { protocol } in its result"],
    ["server", "headers", "the result of upgrade has headers, and decorate can add to every response"],
    ["server", "ssl", "it is part of tls, as in { tls: { cert, key } }"],
    ["server", "trustProxy", "did you mean proxies?"],
    ["server", "origin", "did you mean origins?"],
    ["client", "origin", "it is a header, as in { headers: { Origin } }"],
    ["client", "subprotocols", "did you mean protocols?"],
    ["client", "reconnection", "connect.forever connects again"],
    ["client", "retries", "connect.forever connects again"],
    ["forever", "retries", "retry(error, { attempt }) returns false to give up"],
    ["client", "query", "it is part of the URL"],
    ["client", "extraHeaders", "did you mean headers?"],
    ["reader", "timeout", "a signal ends it, as in { signal: AbortSignal.timeout(5000) }"],
    ["client", "timeout", "did you mean timeouts?"],
    ["closer", "status", "did you mean code?"],
    ["client", "verifyClient", undefined],
    ["client", "toString", undefined],
    ["client", "constructor", undefined],
  ] as const) {
    it(`${name}, given to a ${taker}: ${advice ?? "nothing"}`, () => {
      assert.equal(ofOtherLibraries(name, takers[taker].split(" ")), advice);
    });
  }
});
