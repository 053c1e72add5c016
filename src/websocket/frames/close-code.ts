import type { CloseInfo, ServalError } from "../../core/index.ts";
import type { WebsocketCode } from "./errors.ts";

/** The close codes of RFC 6455 section 7.4.1 and IANA's registry. */
export const closeCode = {
  /** The purpose was fulfilled. */
  normal: 1000,
  /** The server shuts down, or a browser leaves the page. */
  goingAway: 1001,
  protocolError: 1002,
  /** A kind of data that this endpoint does not accept. */
  unknownData: 1003,
  /** Never on the wire: the close frame had no code. */
  noStatus: 1005,
  /** Never on the wire: there was no close frame. */
  abnormal: 1006,
  /** Text that is not UTF-8, or a message that can't be decompressed. */
  badPayload: 1007,
  policyError: 1008,
  tooBig: 1009,
  /** A client needed an extension that the server did not negotiate. */
  needsExtension: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
} as const;

/** Whether a code is allowed in a close frame: those defined for it, and 3000 to 4999 (RFC 6455 section 7.4.2). */
export function isValidCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** The close code that reports a failure to the peer (RFC 6455 section 7.4.1); the only place that decides it. */
export function closeCodeOf(error: ServalError): number {
  switch (error.code as WebsocketCode) {
    case "websocket.bad_frame_payload":
    case "websocket.bad_close_payload":
    case "websocket.bad_deflate_data":
      return closeCode.badPayload;
    case "websocket.message_too_big":
      return closeCode.tooBig;
    case "websocket.too_many_fragments":
    case "websocket.rate_exceeded":
      return closeCode.policyError;
    default:
      return error.condition === "protocol_violation" ? closeCode.protocolError : closeCode.internalError;
  }
}

/** How a connection ended, as text. The peer's reason is quoted. */
export function howClosed({ code, reason }: CloseInfo): string {
  if (code === closeCode.abnormal) return "The WebSocket connection ended without a close frame (1006)";
  const said = reason === "" ? "" : ` ${JSON.stringify(reason)}`;
  return `The WebSocket connection is closed: ${code}${said}`;
}
