import assert from "node:assert/strict";
import { it } from "node:test";
import { isToken, methods } from "../../../src/http/index.ts";

it("has the registered methods, in alphabetical order, each once", () => {
  for (const method of ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "M-SEARCH"]) {
    assert.ok(methods.includes(method), method);
  }
  assert.deepEqual(methods, [...new Set(methods)].toSorted());
  assert.ok(methods.every(isToken));
});
