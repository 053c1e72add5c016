import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { httpErrors, Request, serialize, type FieldsInit } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";
import { limitError } from "../../../src/http/messages/errors.ts";
import { refusalStatus } from "../../../src/http/messages/refusal-status.ts";
import { checkRequest, refusal } from "../../../src/http/server/refusal.ts";

type HttpCode = keyof typeof httpErrors;

describe("refusal", () => {
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
    assert.equal(expects(["100-continue", "100-Continue"]), undefined);
    for (const value of ["x", "100-continue, x", "100-continue;a=b", ["100-continue", "x"]]) {
      assert.equal(expects(value), "http.expectation_failed", String(value));
      assert.equal(expects(value, 10), undefined);
    }
  });
});
