import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadOptions } from "../../../src/cli/bench/load-options.ts";
import { reportOf, resultOf } from "../../../src/cli/bench/report.ts";
import { Tally } from "../../../src/cli/bench/tally.ts";
import { coreError } from "../../../src/core/index.ts";
import { small } from "../support/load-kit.ts";

const url = "ws://user:secret@example.com:8080/chat?token=secret";

function filled(): Tally {
  const tally = new Tally();
  Object.assign(tally, { since: 0, elapsed: 2000, processor: 500, opened: 2, open: 2 });
  Object.assign(tally, { sent: 2000, received: 1998, bytesSent: 64_000, bytesReceived: 63_936, wrong: 1, lost: 1 });
  for (const ms of [10, 12]) tally.opening.record(ms);
  for (let i = 0; i < 1998; i++) tally.latency.record(i < 999 ? 0.15 : 3);
  tally.failed(coreError("core.timeout", { message: "It took too long" }));
  tally.broke(coreError("core.connection_reset"));
  tally.closed(1006, true);
  tally.closed(1000, false);
  return tally;
}

const report = (tally: Tally, differences: Partial<LoadOptions> = {}): string[] =>
  reportOf(small(url, differences), tally).split("\n");

describe("reportOf", () => {
  it("has all counts", () => {
    assert.deepEqual(report(filled()), [
      "load         3 connections to ws://example.com:8080/chat, binary messages of 32 bytes, 2 in flight on each",
      "             closed loop: latency counts from when a message was sent; a slow server is sent less",
      "connections  2 opened, 1 failed",
      "  failed     core.timeout: 1",
      "             It took too long",
      "  opening    min 10 ms  p50 10 ms  p90 12 ms  p99 12 ms  p99.9 12 ms  max 12 ms",
      "messages     2,000 sent, 1,998 received, 1 wrong, 1 lost",
      "  sent       1,000 messages/s, 0.03 MB/s",
      "  received   999 messages/s, 0.03 MB/s",
      "latency      min 150 µs  p50 150 µs  p90 3 ms  p99 3 ms  p99.9 3 ms  max 3 ms",
      "              100 µs to 200 µs  ████████████████████████████████████████ 999",
      "              200 µs to 500 µs                                           0",
      "              500 µs to 1 ms                                             0",
      "                1 ms to 2 ms                                             0",
      "                2 ms to 5 ms    ████████████████████████████████████████ 999",
      "closes       1006: 1, 1000: 1 (1 before the end)",
      "errors       core.connection_reset: 1",
      "processor    500 ms of this process in 2 s",
      "",
    ]);
  });

  it("escapes what a server sent", () => {
    const tally = new Tally();
    tally.failed(coreError("core.timeout", { message: "403 \u001b[2J\nNo" }));
    assert.ok(report(tally).includes(`${" ".repeat(13)}403 \\u001b[2J No`));
  });

  it("names the kind of loop, and what an open loop could not send", () => {
    const tally = filled();
    tally.unsent = 7;
    const lines = report(tally, { rate: 1000 });
    assert.equal(
      lines[1],
      "             open loop: 1,000 messages a second are due; latency counts from when a message was due",
    );
    assert.ok(lines.some((line) => /^ {2}late {7}7 were due but not sent/.test(line)));
    assert.match(lines[0]!, /in flight on each$/);
  });

  it("says that a load was ended early, and what was not waited for", () => {
    const tally = filled();
    tally.interrupted = true;
    tally.pending = 3;
    tally.unasked = 4;
    const text = report(tally).join("\n");
    assert.match(text, /; ended early\n/);
    assert.match(text, /1 lost, 3 not waited for, 4 unasked\n/);
  });

  it("says when its own process may be the limit", () => {
    const tally = filled();
    tally.processor = 1900;
    assert.match(report(tally).join("\n"), /of this process in 2 s: this process may be the limit\n/);
  });

  it("leaves out messages or answers if there were to be none", () => {
    const tally = new Tally();
    tally.opened = 3;
    assert.deepEqual(report(tally, { rate: 0 }), [
      "load         3 connections to ws://example.com:8080/chat, held open",
      "connections  3 opened, 0 failed",
      "",
    ]);
    assert.doesNotMatch(report(tally, { echo: false }).join("\n"), /wrong|lost|received.*\/s|loop/);
    tally.lost = 2;
    assert.match(report(tally, { echo: false }).join("\n"), /0 received, 2 lost in connections that ended\n/);
  });
});

describe("resultOf", () => {
  it("has the same as JSON", () => {
    const result = JSON.parse(JSON.stringify(resultOf(small(url), filled()))) as Record<string, object>;
    assert.equal(result["url"], "ws://example.com:8080/chat");
    assert.deepEqual(result["load"], {
      loop: "closed",
      connections: 3,
      opening: 2,
      size: 32,
      kind: "binary",
      depth: 2,
      echo: true,
      rate: null,
      deflate: false,
      warmup: 0,
    });
    const { histogram, ...latency } = result["latency"] as { histogram: object[] };
    const summary = { min: 0.15, mean: 1.575, p50: 0.15, p90: 3, p99: 3, "p99.9": 3, max: 3 };
    for (const [name, value] of Object.entries(summary)) {
      const found = (latency as Record<string, number>)[name]!;
      assert.ok(Math.abs(found - value) <= value / 200, `${name}: ${found}`);
    }
    assert.deepEqual([histogram.length, histogram[0]], [5, { from: 0.1, to: 0.2, count: 999 }]);
    const { sent, received, wrong, lost, sentPerSecond, bytesReceivedPerSecond } = result["messages"] as Record<
      string,
      number
    >;
    assert.deepEqual([sent, received, wrong, lost], [2000, 1998, 1, 1]);
    assert.deepEqual([sentPerSecond, bytesReceivedPerSecond], [1000, 31_968]);
    const { closes, errors, failures, closedEarly } = result["connections"] as Record<string, unknown>;
    assert.deepEqual(
      { closes, errors, failures, closedEarly },
      {
        closes: { 1006: 1, 1000: 1 },
        errors: { "core.connection_reset": 1 },
        failures: { "core.timeout": 1 },
        closedEarly: 1,
      },
    );
  });

  it("says when latency counts from", () => {
    const of = (rate: number | undefined) =>
      resultOf(small(url, { rate }), new Tally()) as { latency: { since: string } };
    assert.deepEqual([of(undefined).latency.since, of(10).latency.since], ["sent", "due"]);
  });
});
