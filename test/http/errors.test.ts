import assert from "node:assert/strict";
import { it } from "node:test";
import { httpError, httpErrors } from "../../src/http/index.ts";

it("gives every code its condition and one sentence", () => {
  for (const [code, [condition, sentence]] of Object.entries(httpErrors)) {
    const error = httpError(code as keyof typeof httpErrors);
    assert.match(code, /^http\.[a-z_]+$/);
    assert.equal(error.code, code);
    assert.equal(error.condition, condition);
    assert.equal(error.message, sentence);
    assert.match(sentence, /^[A-Z].*[^.]$/);
  }
});
