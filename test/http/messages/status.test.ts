import assert from "node:assert/strict";
import { it } from "node:test";
import { isBodiless, isStatus, reasonPhrase, statuses } from "../../../src/http/messages/status.ts";

it("has the reasons of common statuses", () => {
  assert.equal(reasonPhrase(101), "Switching Protocols");
  assert.equal(reasonPhrase(200), "OK");
  assert.equal(reasonPhrase(426), "Upgrade Required");
  assert.equal(reasonPhrase(431), "Request Header Fields Too Large");
  assert.equal(reasonPhrase(599), "");
});

it("has the table of registered ones", () => {
  assert.deepEqual([statuses[206], statuses[418], statuses[299]], ["Partial Content", "I'm a Teapot", undefined]);
});

it("accepts three digits as a status", () => {
  for (const status of [100, 101, 200, 599, 999]) assert.equal(isStatus(status), true);
  for (const status of [0, 99, 1000, -200, 200.5, NaN, Infinity]) assert.equal(isStatus(status), false);
});

it("has the statuses without a body", () => {
  for (const status of [100, 101, 199, 204, 304]) assert.equal(isBodiless(status), true);
  for (const status of [200, 203, 205, 303, 305, 404]) assert.equal(isBodiless(status), false);
});
