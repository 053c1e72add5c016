import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { causeOf, noResponse } from "../../../src/http/server/handler-result.ts";
import { Request, Response } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";

describe("a handler's result", () => {
  it("is named, with the request, if it is no response", () => {
    const request = new Request({ method: "PUT", target: "/a?b" });
    for (const [result, words] of [
      [undefined, /^The handler of PUT \/a\?b returned nothing: return an http.Response, or release/],
      [null, /returned nothing/],
      [new Response({ status: 103 }), /returned status 103, which is not final$/],
      [new globalThis.Response(), /not object: http.Response.from makes one of fetch's$/],
      ["text", /must return an http.Response, not string$/],
      [5, /not number$/],
    ] as const) {
      assert.match(noResponse(request, result).message, words);
    }
  });

  it("is reported with its own error if the body of its response failed", () => {
    const cause = new Error("mine");
    assert.equal(causeOf(httpError("http.body_failed", { cause })), cause);
    const other = httpError("http.bad_content_length");
    assert.equal(causeOf(other), other);
  });
});
