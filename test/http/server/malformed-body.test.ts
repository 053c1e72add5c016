import assert from "node:assert/strict";
import { it } from "node:test";
import { isMalformedBody, noted, noting } from "../../../src/http/server/malformed-body.ts";

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

it("an error of the kind is remembered, and no other", async () => {
  const [own, other] = [new SyntaxError("own"), new RangeError("other")];
  assert.equal(await failureOf(noted(Promise.reject(own), SyntaxError)), own);
  assert.equal(await failureOf(noted(Promise.reject(other), SyntaxError)), other);
  assert.deepEqual([own, other, new SyntaxError("own"), undefined].map(isMalformedBody), [true, false, false, false]);
  assert.equal(await noted(Promise.resolve(1), SyntaxError), 1);
});

it("a request's own errors are remembered, and those of its clones, but none of a second reading", async () => {
  const made = (): Request => noting(new Request("http://h/", { method: "PUT", body: "{" }));
  for (const request of [made(), made().clone()]) {
    assert.equal(isMalformedBody(await failureOf(request.clone().json())), true);
    assert.equal(isMalformedBody(await failureOf(request.clone().formData())), true);
    await request.text();
    assert.equal(isMalformedBody(await failureOf(request.formData())), false);
  }
});
