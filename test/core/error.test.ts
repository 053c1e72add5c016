import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { defineErrors, ServalError } from "../../src/core/index.ts";
import { Response } from "../../src/http/index.ts";

describe("ServalError", () => {
  it("has its code, condition and message, and no other details", () => {
    const error = new ServalError("module.words", "limit", "A sentence");
    assert.ok(error instanceof Error);
    assert.equal(error.code, "module.words");
    assert.equal(error.condition, "limit");
    assert.equal(error.message, "A sentence");
    assert.equal(error.name, "ServalError");
    assert.equal(error.close, undefined);
    assert.equal("cause" in error, false);
  });

  it("keeps a cause, also one that is undefined", () => {
    const cause = new Error("below");
    assert.equal(new ServalError("a.b", "transport", "", { cause }).cause, cause);
    assert.equal("cause" in new ServalError("a.b", "transport", "", { cause: undefined }), true);
  });

  it("prefers the given message to that of the code", () => {
    assert.equal(new ServalError("a.b", "misuse", "general", { message: "exact" }).message, "exact");
  });

  it("has how the connection was closed", () => {
    const close = { code: 1000, reason: "done", clean: true };
    assert.equal(new ServalError("a.b", "closed", "", { close }).close, close);
  });

  it("has the response that refused a handshake", () => {
    const response = new Response({ status: 403 });
    assert.equal(new ServalError("a.b", "handshake_failed", "", { response }).response, response);
    assert.equal(new ServalError("a.b", "handshake_failed", "").response, undefined);
  });

  it("is shown without details that it does not have, and with the text of a refusal", () => {
    assert.deepEqual(Object.keys(new ServalError("a.b", "limit", "too much")), ["code", "condition"]);
    const response = new Response({ status: 403, body: "Who are you?" });
    const refused = new ServalError("a.b", "handshake_failed", "refused", { response });
    assert.match(inspect(refused), /^\[ServalError: refused\] {.*response: Response {.*body: 'Who are you\?'/s);
    assert.match(inspect({ refused }), /status: 403/);
    assert.match(inspect({ a: { b: { refused } } }), /refused: \[ServalError\]/);
    // As Node.js shows an uncaught error.
    assert.equal(
      inspect(refused, { customInspect: false, depth: 5 }),
      "[ServalError: refused] { code: 'a.b', condition: 'handshake_failed' }",
    );
  });

  it("is called AbortError like the platform's", () => {
    assert.equal(new ServalError("core.aborted", "aborted", "").name, "AbortError");
    assert.equal(Object.keys(new ServalError("core.aborted", "aborted", "")).includes("name"), false);
  });

  it("shows its name and message in its stack", () => {
    assert.match(new ServalError("a.b", "misuse", "what happened").stack!, /what happened\n +at /);
  });
});

describe("defineErrors", () => {
  it("makes errors of a table by code", () => {
    const make = defineErrors({ "a.one": ["timeout", "First"], "a.two": ["closed", "Second"] });
    assert.equal(make("a.two").code, "a.two");
    assert.equal(make("a.two").condition, "closed");
    assert.equal(make("a.one").message, "First");
    assert.equal(make("a.one", { message: "Other" }).message, "Other");
  });
});
