import assert from "node:assert/strict";
import { it } from "node:test";
import { Response } from "../../../src/http/index.ts";
import {
  isBodiless,
  isRedirect,
  isStatus,
  reasonPhrase,
  statuses,
  statusText,
} from "../../../src/http/messages/status.ts";

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

it("takes five statuses with a Location for redirects", () => {
  const headers = { Location: "/there" };
  for (const status of [301, 302, 303, 307, 308]) {
    assert.equal(isRedirect(new Response({ status, headers })), true);
    assert.equal(isRedirect(new Response({ status })), false);
  }
  for (const status of [101, 200, 201, 300, 304, 305, 401, 503]) {
    assert.equal(isRedirect(new Response({ status, headers })), false);
  }
});

it("shows status and reason, and says that the body is cut", () => {
  const response = new Response({ status: 503, body: "x".repeat(1234) });
  assert.equal(statusText(response, false), "503 Service Unavailable");
  assert.equal(statusText(response, true), "503 Service Unavailable (its body is cut after 1,234 bytes)");
  assert.equal(statusText(new Response({ status: 599, reason: "" }), true), "599 (its body is cut after 0 bytes)");
});

it("has the statuses without a body", () => {
  for (const status of [100, 101, 199, 204, 304]) assert.equal(isBodiless(status), true);
  for (const status of [200, 203, 205, 303, 305, 404]) assert.equal(isBodiless(status), false);
});
