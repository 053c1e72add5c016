import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Tally, total } from "../../../src/cli/bench/tally.ts";
import { clientError, clientErrors } from "../../../src/client/errors.ts";
import { coreError } from "../../../src/core/index.ts";
import { Fields } from "../../../src/http/index.ts";

describe("Tally", () => {
  it("counts failures by code and status, and keeps the first one's message", () => {
    const tally = new Tally();
    assert.ok("client.proxy_refused" in clientErrors);
    const response = { status: 502, reason: "", headers: new Fields(), body: new Uint8Array(0) };
    tally.failed(clientError("client.proxy_refused", { message: "first", response }));
    tally.failed(coreError("core.timeout"));
    tally.failed(clientError("client.proxy_refused", { response }));
    assert.deepEqual(
      [...tally.failures],
      [
        ["client.proxy_refused", 2],
        ["core.timeout", 1],
      ],
    );
    assert.deepEqual([...tally.statuses], [["502", 2]]);
    assert.deepEqual([tally.firstFailure, total(tally.failures)], ["first", 3]);
  });

  it("counts closes by code, and how many came before the end", () => {
    const tally = new Tally();
    tally.open = 3;
    tally.broke(coreError("core.connection_reset"));
    tally.closed(1006, true);
    tally.closed(1000, false);
    assert.deepEqual([tally.open, tally.closedEarly], [1, 1]);
    assert.deepEqual(
      [...tally.closes, ...tally.errors],
      [
        ["1006", 1],
        ["1000", 1],
        ["core.connection_reset", 1],
      ],
    );
  });

  it("counts messages from a given time on", () => {
    const tally = new Tally();
    assert.equal(tally.isCounted(1e9), false);
    tally.since = 10;
    assert.deepEqual([tally.isCounted(9), tally.isCounted(10)], [false, true]);
  });
});
