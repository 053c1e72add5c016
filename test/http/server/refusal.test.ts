import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type coreErrors } from "../../../src/core/errors.ts";
import { httpErrors, Request, serialize, type FieldsInit } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";
import { limitError } from "../../../src/http/messages/errors.ts";
import { checkRequest, refusal, refusalStatus } from "../../../src/http/server/refusal.ts";

type HttpCode = keyof typeof httpErrors;
type CoreCode = keyof typeof coreErrors;

describe("refusalStatus", () => {
  it("distinguishes errors that a client can correct", () => {
    const of = (code: string): number | undefined =>
      refusalStatus(code.startsWith("http.") ? httpError(code as HttpCode) : coreError(code as CoreCode));
    for (const [status, ...codes] of [
      [400, "http.bad_method", "http.bad_target", "http.bad_field", "http.bad_value", "http.bad_host"],
      [400, "http.bad_line_ending", "http.bad_obs_fold", "http.bad_content_length", "http.multiple_content_length"],
      [400, "http.bad_transfer_encoding", "http.bad_chunk", "http.bad_chunk_extension", "http.partial_message"],
      [408, "core.timeout"],
      [413, "http.body_limit", "http.chunk_extension_limit", "core.buffer_overflow"],
      [417, "http.expectation_failed"],
      [431, "http.header_limit", "http.field_limit"],
      [501, "http.unknown_transfer_coding"],
      [505, "http.bad_version"],
      [
        undefined,
        "http.end_of_stream",
        "http.body_used",
        "http.handler_failed",
        "http.short_read",
        "http.stale_parser",
      ],
      [undefined, "core.aborted", "core.connection_reset", "core.transport", "core.operation_pending"],
    ] as [number | undefined, ...string[]][]) {
      for (const code of codes) assert.equal(of(code), status, code);
    }
  });

  it("has a valid response for every violation of a peer", () => {
    for (const [code, [condition]] of Object.entries(httpErrors)) {
      const error = httpError(code as HttpCode);
      const status = refusalStatus(error);
      if (condition === "protocol_violation") assert.ok(status !== undefined, code);
      if (status === undefined) continue;
      const response = refusal(error, status);
      assert.deepEqual([response.status, new TextDecoder().decode(response.body)], [status, `${error.message}\n`]);
      assert.ok(serialize(response).length > 0);
    }
  });

  it("reveals nothing of the server's configuration", () => {
    const response = refusal(limitError("maxBodySize", 4321), 413);
    assert.equal(new TextDecoder().decode(response.body), `${httpErrors["http.body_limit"][1]}\n`);
  });
});

describe("checkRequest", () => {
  const check = (headers: FieldsInit, version = 11): string | undefined =>
    checkRequest(new Request({ headers, version }))?.code;

  it("requires one valid Host", () => {
    for (const Host of ["a", "a:80", "127.0.0.1", "[::1]:80", ""]) assert.equal(check({ Host }), undefined, Host);
    for (const Host of ["a b", "a/b", "a@b", ":80", "a, b", "[::1", ["a", "a"]]) {
      for (const version of [10, 11]) assert.equal(check({ Host }, version), "http.bad_host", String(Host));
    }
    assert.equal(check({}), "http.bad_host");
    assert.equal(check({}, 10), undefined);
  });

  it("knows no expectation but 100-continue, and none of HTTP/1.0", () => {
    const expects = (Expect: string | string[], version?: number): string | undefined =>
      check({ Host: "a", Expect }, version);
    assert.equal(expects("100-Continue"), undefined);
    for (const value of ["", "x", "100-continue, x", "100-continue;a=b", ["100-continue", "100-continue"]]) {
      assert.equal(expects(value), "http.expectation_failed", String(value));
      assert.equal(expects(value, 10), undefined);
    }
  });
});
