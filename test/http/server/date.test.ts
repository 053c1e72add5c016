import assert from "node:assert/strict";
import { it } from "node:test";
import { dateLine } from "../../../src/http/server/date.ts";

it("is now, as HTTP has it, and goes on with the seconds", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 0 });
  assert.equal(dateLine(), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  // RFC 9110 5.6.7 has this one for its example.
  context.mock.timers.setTime(784_111_777_999);
  assert.equal(dateLine(), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  context.mock.timers.setTime(784_111_777_000);
  assert.equal(dateLine(), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  context.mock.timers.setTime(784_111_778_000);
  assert.equal(dateLine(), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  // A clock may be set back.
  context.mock.timers.setTime(1000);
  assert.equal(dateLine(), "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n");
});
