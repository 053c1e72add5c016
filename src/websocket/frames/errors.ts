import { defineErrors, type ErrorFactory, type ServalError } from "../../core/index.ts";

/** The codes of the module `websocket`. */
export const websocketErrors = {
  // Life of a connection.
  "websocket.closed": ["closed", "The WebSocket connection is closed"],
  "websocket.queue_overflow": ["limit", "More bytes wait to be sent than maxBufferedAmount allows"],
  "websocket.source_failed": ["misuse", "The iterable that the message was made from threw or rejected"],
  "websocket.message_in_progress": [
    "misuse",
    "Parts of a message have been read: read it to its end with readSome before the next",
  ],
  "websocket.handler_failed": ["misuse", "A handler of the application threw or rejected"],
  "websocket.not_open": ["misuse", "The WebSocket is not open: call accept or handshake first"],
  "websocket.already_started": ["misuse", "A Stream has only one connection: its handshake has already run"],
  "websocket.pushed": ["misuse", "The stream has a message handler: messages go there and can't be read"],

  // The opening handshake (RFC 6455 sections 4.2.1 and 4.1), in the order of the checks.
  "websocket.bad_http_version": ["handshake_failed", "The WebSocket handshake was not HTTP/1.1"],
  "websocket.bad_method": ["handshake_failed", "The WebSocket handshake method was not GET"],
  "websocket.bad_target": ["handshake_failed", "The WebSocket handshake target is neither a path nor a URL"],
  "websocket.no_host": ["handshake_failed", "The WebSocket handshake Host header is missing"],
  "websocket.bad_host": ["handshake_failed", "The WebSocket handshake Host header is repeated or malformed"],
  "websocket.no_connection": ["handshake_failed", "The WebSocket handshake Connection header is missing"],
  "websocket.no_connection_upgrade": ["handshake_failed", "The WebSocket handshake Connection header lacks upgrade"],
  "websocket.no_upgrade": ["handshake_failed", "The WebSocket handshake Upgrade header is missing"],
  "websocket.no_upgrade_websocket": ["handshake_failed", "The WebSocket handshake Upgrade header lacks websocket"],
  "websocket.no_sec_key": ["handshake_failed", "The WebSocket handshake Sec-WebSocket-Key header is missing"],
  "websocket.bad_sec_key": [
    "handshake_failed",
    "The WebSocket handshake Sec-WebSocket-Key header is repeated or not the base64 of 16 bytes",
  ],
  "websocket.no_sec_version": ["handshake_failed", "The WebSocket handshake Sec-WebSocket-Version header is missing"],
  "websocket.bad_sec_version": [
    "handshake_failed",
    "The WebSocket handshake Sec-WebSocket-Version header is repeated or not 13",
  ],
  "websocket.no_sec_accept": ["handshake_failed", "The WebSocket handshake Sec-WebSocket-Accept header is missing"],
  "websocket.bad_sec_accept": [
    "handshake_failed",
    "The WebSocket handshake Sec-WebSocket-Accept header is not the answer to the key",
  ],
  "websocket.bad_sec_protocol": [
    "handshake_failed",
    "The WebSocket handshake Sec-WebSocket-Protocol header is malformed",
  ],
  "websocket.bad_sec_extensions": [
    "handshake_failed",
    "The WebSocket handshake Sec-WebSocket-Extensions header is malformed, or agrees to something that was not offered",
  ],
  "websocket.buffer_overflow": ["limit", "The WebSocket handshake is larger than maxHeaderSize"],
  "websocket.upgrade_declined": ["handshake_failed", "The WebSocket handshake was declined"],
  "websocket.bad_upgrade_result": [
    "misuse",
    "The upgrade or decorate hook returned something that the handshake can't carry",
  ],

  // Frames (RFC 6455 section 5).
  "websocket.bad_opcode": ["protocol_violation", "The WebSocket frame has a reserved opcode"],
  "websocket.bad_reserved_bits": ["protocol_violation", "The WebSocket frame has reserved bits set"],
  "websocket.bad_data_frame": ["protocol_violation", "A WebSocket message began inside another"],
  "websocket.bad_continuation": ["protocol_violation", "A WebSocket continuation frame continues no message"],
  "websocket.bad_control_fragment": ["protocol_violation", "The WebSocket control frame is fragmented"],
  "websocket.bad_control_size": ["protocol_violation", "The WebSocket control frame is larger than 125 bytes"],
  "websocket.bad_unmasked_frame": ["protocol_violation", "The WebSocket frame from a client is not masked"],
  "websocket.bad_masked_frame": ["protocol_violation", "The WebSocket frame from a server is masked"],
  "websocket.bad_size": ["protocol_violation", "The WebSocket frame's length is not in its shortest form"],
  "websocket.bad_frame_payload": ["protocol_violation", "The WebSocket text message is not valid UTF-8"],
  "websocket.bad_close_code": ["protocol_violation", "The WebSocket close frame has an invalid code"],
  "websocket.bad_close_size": ["protocol_violation", "The WebSocket close frame is one byte long"],
  "websocket.bad_close_payload": ["protocol_violation", "The WebSocket close reason is not valid UTF-8"],
  "websocket.bad_deflate_data": ["protocol_violation", "The WebSocket message is compressed in an invalid way"],
  "websocket.too_many_fragments": ["limit", "The WebSocket message has more fragments than maxFragments allows"],
  "websocket.rate_exceeded": ["limit", "The peer sends faster than rate allows"],
  "websocket.message_too_big": ["limit", "The WebSocket message is larger than maxMessageSize"],
} as const;

/** What is wrong, where that is more exact than the message of the code. */
export const exactly = {
  topBit: "The WebSocket frame's 64-bit length has its most significant bit set",
  uncountable: "The WebSocket frame is longer than 2^53 - 1 bytes, the most that can be counted",
} as const;

/**
 * The words for a message of more than `limit` bytes, with the `size` that it has at least, if that is known. Of a text the
 * limit may be what a string can hold, where `maxMessageSize` is above that.
 */
export function tooBig(limit: number, size = 0): string | undefined {
  if (size > Number.MAX_SAFE_INTEGER) return exactly.uncountable;
  if (limit === Infinity) return undefined;
  const known = size === 0 ? "" : `: it has ${size} or more`;
  return `The WebSocket message is larger than maxMessageSize, ${limit} bytes${known}`;
}

/** A code of the module `websocket`. */
export type WebsocketCode = keyof typeof websocketErrors;

/** Makes an error of the module `websocket`. */
export const websocketError: ErrorFactory<WebsocketCode> = defineErrors(websocketErrors);

/** The error for an exception of the application's code, with its message appended: for logs, never for the peer. */
export function thrownBy(
  code: "websocket.handler_failed" | "websocket.source_failed",
  cause: unknown,
  sentence: string = websocketErrors[code][1],
): ServalError {
  const words = wordsOf(cause);
  return websocketError(code, { cause, message: words === undefined ? sentence : `${sentence}: ${words}` });
}

function wordsOf(cause: unknown): string | undefined {
  try {
    return cause instanceof Error ? cause.message : undefined;
  } catch {
    // A revoked proxy throws even here.
    return undefined;
  }
}
