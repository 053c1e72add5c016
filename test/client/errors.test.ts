import assert from "node:assert/strict";
import { it } from "node:test";
import { clientError, clientErrors } from "../../src/client/errors.ts";

it("every code makes an error with its condition and message", () => {
  for (const code of Object.keys(clientErrors) as (keyof typeof clientErrors)[]) {
    const [condition, message] = clientErrors[code];
    const error = clientError(code);
    assert.deepEqual([error.code, error.condition, error.message], [code, condition, message]);
    assert.match(code, /^client\.[a-z_]+$/);
  }
});
