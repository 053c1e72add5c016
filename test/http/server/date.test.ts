import assert from "node:assert/strict";
import { it } from "node:test";
import { dateValue } from "../../../src/http/server/date.ts";

it("is now, as HTTP has it, and goes on with the seconds", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 0 });
  assert.equal(dateValue(), "Thu, 01 Jan 1970 00:00:00 GMT");
  // RFC 9110 5.6.7 has this one for its example.
  context.mock.timers.setTime(784_111_777_999);
  assert.equal(dateValue(), "Sun, 06 Nov 1994 08:49:37 GMT");
  context.mock.timers.setTime(784_111_777_000);
  assert.equal(dateValue(), "Sun, 06 Nov 1994 08:49:37 GMT");
  context.mock.timers.setTime(784_111_778_000);
  assert.equal(dateValue(), "Sun, 06 Nov 1994 08:49:38 GMT");
  // A clock may be set back.
  context.mock.timers.setTime(1000);
  assert.equal(dateValue(), "Thu, 01 Jan 1970 00:00:01 GMT");
});
