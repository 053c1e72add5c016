import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bodyLines, failureLine, failureLines, misuseLine } from "../../../src/cli/shared/failure.ts";
import { ServalError } from "../../../src/core/index.ts";
import { Response } from "../../../src/http/index.ts";

describe("failureLine", () => {
  it("is the message on one line, with nothing that acts on a terminal", () => {
    assert.equal(failureLine(new Error("a\n  b\u001b[31m")), "a b\\u001b[31m");
    assert.equal(failureLine("odd"), "odd");
  });
});

describe("misuseLine", () => {
  it("points to the help", () => {
    assert.equal(misuseLine(new Error("a\nb"), "inspect"), "serval: a b; see serval inspect --help\n");
  });
});

describe("failureLines", () => {
  it("has the response of a server that refused", () => {
    const response = new Response({ status: 302, headers: { Location: "/a" }, body: "<p>\r\n\r\nmoved\u001b\n" });
    const error = new ServalError("websocket.upgrade_declined", "handshake_failed", "declined: 302", { response });
    assert.deepEqual(failureLines(error), ["declined: 302", "  Location: /a", "  <p>", "  moved\\u001b"]);
  });
});

describe("bodyLines", () => {
  it("are few and short", () => {
    const body = Buffer.from(`${"x".repeat(300)}\n2\n3\n4\n5\n6\n`);
    assert.deepEqual(bodyLines(body), [`  ${"x".repeat(200)}…`, "  2", "  3", "  4", "  5", "  …"]);
    assert.deepEqual(bodyLines(Buffer.alloc(0)), []);
  });
});
