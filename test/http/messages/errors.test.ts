import assert from "node:assert/strict";
import { it } from "node:test";
import { limitError } from "../../../src/http/messages/errors.ts";
import { httpErrors } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";

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

it("says which limit was exceeded, and what it is set to", () => {
  const { code, condition, message } = limitError("maxBodySize", 1000);
  assert.deepEqual([code, condition], ["http.body_limit", "limit"]);
  assert.equal(message, "The body of the message is larger than allowed: maxBodySize is 1000");
  for (const option of ["maxHeaderSize", "maxHeadersCount", "maxChunkExtensionSize"] as const) {
    assert.match(limitError(option, 7).message, new RegExp(`: ${option} is 7$`));
  }
});
