import assert from "node:assert/strict";
import { it } from "node:test";
import { checkHeader, wrongIn } from "../../../src/websocket/frames/check-header.ts";

// RFC 6455 sections 5.1, 5.2, 5.4 and 5.5, RFC 7692 section 6; test/rfc/ has them over a connection.
for (const [name, [first, second], { masked = false, deflates = false, inside = false }, code] of [
  ["a text", [0x81, 5], {}, undefined],
  ["a masked text", [0x81, 0x85], { masked: true }, undefined],
  ["a ping inside a message", [0x89, 0], { inside: true }, undefined],
  ["a continuation inside a message", [0x80, 5], { inside: true }, undefined],
  ["a deflated text", [0xc1, 5], { deflates: true }, undefined],
  ["a deflated text without agreement", [0xc1, 5], {}, "websocket.bad_reserved_bits"],
  ["a deflated continuation", [0xc0, 5], { deflates: true, inside: true }, "websocket.bad_reserved_bits"],
  ["a deflated ping", [0xc9, 5], { deflates: true }, "websocket.bad_reserved_bits"],
  ["the second reserved bit", [0xa1, 5], { deflates: true }, "websocket.bad_reserved_bits"],
  ["an unknown control frame", [0x8b, 0], {}, "websocket.bad_opcode"],
  ["an unknown data frame", [0x83, 0], {}, "websocket.bad_opcode"],
  ["a fragment of a ping", [0x09, 0], {}, "websocket.bad_control_fragment"],
  ["a ping that is too long", [0x89, 126], {}, "websocket.bad_control_size"],
  ["a continuation of nothing", [0x80, 5], {}, "websocket.bad_continuation"],
  ["a text inside a message", [0x81, 5], { inside: true }, "websocket.bad_data_frame"],
  ["an unmasked text of a client", [0x81, 5], { masked: true }, "websocket.bad_unmasked_frame"],
  ["a masked text of a server", [0x81, 0x85], {}, "websocket.bad_masked_frame"],
] as [string, [number, number], { masked?: boolean; deflates?: boolean; inside?: boolean }, string | undefined][]) {
  it(`${name}: ${code ?? "is sound"}`, () => {
    assert.equal(checkHeader(first, second, masked, deflates, inside), code);
  });
}

it("names what is wrong of the two bytes", () => {
  assert.equal(wrongIn("websocket.bad_reserved_bits", 0xd1, 0), 0x50);
  assert.equal(wrongIn("websocket.bad_opcode", 0x8b, 0), 11);
  assert.equal(wrongIn("websocket.bad_control_size", 0x89, 0xfe), 126);
  assert.equal(wrongIn("websocket.bad_masked_frame", 0x81, 0x85), undefined);
});
