import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryAfter } from "../../src/client/retry-after.ts";
import { Response } from "../../src/http/index.ts";

const date = "Sun, 06 Nov 1994 08:49:30 GMT";

/** The least delay of a response, in milliseconds. */
function delay(value: string | undefined, status = 503, more: Record<string, string> = { Date: date }): number {
  return retryAfter(
    new Response({ status, headers: { ...more, ...(value !== undefined && { "Retry-After": value }) } }),
  );
}

describe("retryAfter", () => {
  it("is that of 503 and 429 only", () => {
    assert.deepEqual(
      [delay("5"), delay("5", 429), delay("5", 500), delay("5", 301), delay(undefined)],
      [5000, 5000, 0, 0, 0],
    );
    assert.equal(retryAfter(undefined), 0);
  });

  it("takes seconds", () => {
    for (const [value, ms] of [
      ["0", 0],
      ["007", 7000],
      ["3600", 3_600_000],
    ] as const) {
      assert.equal(delay(value), ms);
    }
  });

  it("takes the three forms of a date, counted from the server's own Date", () => {
    for (const value of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]) {
      assert.equal(delay(value), 7000, value);
    }
    assert.equal(delay("Sun, 06 Nov 1994 08:49:00 GMT"), 0);
    // Without a Date, it is counted from this machine's clock.
    assert.equal(delay("Sun, 06 Nov 1994 08:49:37 GMT", 503, {}), 0);
    const soon = delay(new Date(Date.now() + 60_000).toUTCString(), 503, {});
    assert.ok(soon > 50_000 && soon <= 60_000, String(soon));
    assert.ok(delay(new Date(Date.now() + 60_000).toUTCString(), 503, { Date: "yesterday" }) > 50_000);
  });

  it("is an hour at most", () => {
    for (const value of ["3601", "9".repeat(400), "Mon, 06 Nov 2034 08:49:37 GMT"])
      assert.equal(delay(value), 3_600_000);
  });

  it("passes over values that are malformed", () => {
    for (const value of ["", "-5", "1.5", "5s", "5, 6", "1e3", "soon", "2034-11-06", "Sun, 32 Nov 2034 08:49:37 GMT"]) {
      assert.equal(delay(value), 0, value);
    }
  });
});
