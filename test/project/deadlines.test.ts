// Each deadline goes by an attentive clock: a timer of the clock itself may come before what is there has been read.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../../src/", import.meta.url));

/** The files that set timers of a clock, or of the platform, directly: the timers that end nothing. */
const direct: Readonly<Record<string, string>> = {
  "cli/bench/load.ts": "a load that ends",
  "cli/bench/progress.ts": "lines of progress",
  "cli/connect/outgoing.ts": "a look for more input, after the end of the connection",
  "cli/shared/quiet.ts": "a silence that is waited for",
  "client/forever.ts": "the pause before another attempt",
  "core/attentive-clock.ts": "the attentive clock",
  "core/clock.ts": "the platform's clock",
  "net/rate-limit-stream.ts": "reads and writes that wait",
  "server/drain.ts": "closes that are spread, and a timeout that waits for a poll",
  "testing/every-split.ts": "the patience with a scenario",
  "testing/faulty-stream.ts": "operations that stall",
  "testing/virtual-clock.ts": "a turn of the event loop",
  "websocket/connection/throttle.ts": "a read that waits",
  "ws/connection.ts": "closeTimeout, after which there is a poll",
  "ws/liveness.ts": "timeouts.idle, after which there is a poll",
};

test("only timers that end no connection are set without an attentive clock", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".ts"));
  assert.ok(files.length > 100);
  const setting = files.filter((file) => {
    const code = readFileSync(path.join(source, file), "utf8").replaceAll(/^\s*(?:\/\/|\/?\*).*$|"[^"\n]*"/gm, "");
    const attentive = /(?:attentive\([\w.]+\)|\btime|#time)\.setTimer\(/g;
    return /\.setTimer\(|\bset(?:Timeout|Interval)\(|AbortSignal\.timeout\(/.test(code.replaceAll(attentive, ""));
  });
  assert.deepEqual(setting.toSorted(), Object.keys(direct).toSorted());
});
