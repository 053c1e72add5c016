import type { WebsocketCode } from "./errors.ts";
import { deflatedBit, maxControlSize, opcode } from "./frame.ts";

/**
 * Checks a frame's first two bytes, for a connection whose peer masks or not, may compress or not, and is inside a
 * fragmented message or between messages.
 */
export function checkHeader(
  first: number,
  second: number,
  isMasked: boolean,
  mayDeflate: boolean,
  isInMessage: boolean,
): WebsocketCode | undefined {
  const code = first & 0x0f;
  const reserved = first & 0x70;
  // RFC 7692 section 6: only the first reserved bit, on the first frame of a message, if compression was negotiated.
  if (reserved !== 0) {
    const isFirst = code === opcode.text || code === opcode.binary;
    if (reserved !== deflatedBit || !mayDeflate || !isFirst) return "websocket.bad_reserved_bits";
  }
  if (code >= opcode.close) {
    if (code > opcode.pong) return "websocket.bad_opcode";
    if (first < 0x80) return "websocket.bad_control_fragment"; // section 5.5
    if ((second & 0x7f) > maxControlSize) return "websocket.bad_control_size"; // section 5.5
  } else if (code === opcode.continuation) {
    if (!isInMessage) return "websocket.bad_continuation"; // section 5.4
  } else {
    if (code > opcode.binary) return "websocket.bad_opcode";
    if (isInMessage) return "websocket.bad_data_frame"; // section 5.4
  }
  // Section 5.1: a client masks every frame, a server none.
  if (isMasked !== second >= 0x80) return isMasked ? "websocket.bad_unmasked_frame" : "websocket.bad_masked_frame";
  return undefined;
}

/** What a frame's first two bytes have that is not allowed: the reserved bits, the opcode, or a control frame's length. */
export function wrongIn(failure: WebsocketCode, first: number, second: number): number | undefined {
  switch (failure) {
    case "websocket.bad_reserved_bits":
      return first & 0x70;
    case "websocket.bad_control_size":
      return second & 0x7f;
    case "websocket.bad_opcode":
    case "websocket.bad_data_frame":
    case "websocket.bad_continuation":
      return first & 0x0f;
    default:
      return undefined;
  }
}
