import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
