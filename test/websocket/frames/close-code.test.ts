import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError } from "../../../src/core/index.ts";
import { closeCode, closeCodeOf, isValidCloseCode } from "../../../src/websocket/frames/close-code.ts";
import { websocketError, websocketErrors, type WebsocketCode } from "../../../src/websocket/frames/errors.ts";

describe("isValidCloseCode", () => {
  const ranges: [first: number, last: number, valid: boolean][] = [
    [0, 999, false],
    [1000, 1003, true],
    [1004, 1006, false],
    [1007, 1014, true],
    [1015, 2999, false],
    [3000, 4999, true],
    [5000, 65535, false],
  ];
  for (const [first, last, valid] of ranges) {
    it(`RFC 6455 7.4: ${first} to ${last} ${valid ? "may" : "may not"} stand in a close frame`, () => {
      for (let code = first; code <= last; code++) assert.equal(isValidCloseCode(code), valid, `${code}`);
    });
  }

  it("RFC 6455 7.4.1: 1005 and 1006 are the only codes with a name that are never sent", () => {
    const unsendable = Object.values(closeCode).filter((code) => !isValidCloseCode(code));
    assert.deepEqual(unsendable, [closeCode.noStatus, closeCode.abnormal]);
  });
});

describe("closeCodeOf", () => {
  const special: Partial<Record<WebsocketCode, number>> = {
    "websocket.bad_frame_payload": 1007,
    "websocket.bad_close_payload": 1007,
    "websocket.bad_deflate_data": 1007,
    "websocket.message_too_big": 1009,
    "websocket.handler_failed": 1011,
    "websocket.queue_overflow": 1011,
  };
  for (const code of Object.keys(websocketErrors) as WebsocketCode[]) {
    if (websocketErrors[code][0] !== "protocol_violation" && special[code] === undefined) continue;
    const expected = special[code] ?? 1002;
    it(`RFC 6455 7.4.1: ${code} is ${expected}`, () => assert.equal(closeCodeOf(websocketError(code)), expected));
  }

  it("RFC 6455 7.4.1: an error that is no violation of the peer is 1011", () => {
    assert.equal(closeCodeOf(coreError("core.transport")), 1011);
  });
});
