import assert from "node:assert/strict";
import { it } from "node:test";
import { limitError } from "../../../src/http/messages/errors.ts";
import { httpErrors } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";

it("has a condition and a message for every code", () => {
  for (const [code, [condition, sentence]] of Object.entries(httpErrors)) {
    const error = httpError(code as keyof typeof httpErrors);
    assert.match(code, /^http\.[a-z_]+$/);
    assert.equal(error.code, code);
    assert.equal(error.condition, condition);
    assert.equal(error.message, sentence);
    assert.match(sentence, /^[A-Z].*[^.]$/);
  }
});

it("names the exceeded limit and its value", () => {
  const { code, condition, message } = limitError("maxBodySize", 1000);
  assert.deepEqual([code, condition], ["http.body_limit", "limit"]);
  assert.equal(message, "The body of the message is larger than allowed: maxBodySize is 1000");
  for (const option of ["maxHeaderSize", "maxHeadersCount", "maxChunkExtensionSize"] as const) {
    assert.match(limitError(option, 7).message, new RegExp(`: ${option} is 7$`));
  }
});
