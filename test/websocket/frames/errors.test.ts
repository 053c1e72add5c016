import assert from "node:assert/strict";
import { it } from "node:test";
import { thrownBy, websocketError, websocketErrors, type WebsocketCode } from "../../../src/websocket/frames/errors.ts";

it("every code makes an error with its condition and message", () => {
  for (const code of Object.keys(websocketErrors) as WebsocketCode[]) {
    const [condition, message] = websocketErrors[code];
    const error = websocketError(code);
    assert.deepEqual([error.code, error.condition, error.message], [code, condition, message]);
  }
});

it("every code is of this module, and has its own message", () => {
  const codes = Object.keys(websocketErrors);
  assert.deepEqual(
    codes.filter((code) => !/^websocket\.[a-z_]+$/.test(code)),
    [],
  );
  assert.equal(new Set(Object.values(websocketErrors).map(([, message]) => message)).size, codes.length);
});

it("an exception of the application keeps its message, if it has one", () => {
  const cause = new Error("no such file");
  assert.match(thrownBy("websocket.source_failed", cause).message, /threw or rejected: no such file$/);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const wordless of ["text", undefined, proxy]) {
    const error = thrownBy("websocket.handler_failed", wordless);
    assert.equal(error.message, websocketErrors["websocket.handler_failed"][1]);
  }
});
