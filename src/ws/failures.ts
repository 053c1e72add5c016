import type { ServalError } from "../core/index.ts";
import type { WebsocketCode } from "../websocket/index.ts";

/** An error of a connection as `ws` has it. */
interface ConnectionError extends Error {
  /** The failure, such as `WS_ERR_INVALID_OPCODE`. */
  code: string;
  /** Of zlib's errors. */
  errno?: number;
}

/** What the peer's violation is called, and the close code that tells the peer. */
export interface Failure {
  readonly error: ConnectionError;
  readonly closeCode: number;
}

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

interface Row {
  readonly code: string;
  /** What is wrong; of a frame unless `isPlain`. */
  readonly text: string | ((value: number) => string);
  readonly isPlain?: true;
  readonly closeCode?: number;
  readonly Class?: ErrorClass;
}

const invalidOpcode: Row = { code: "WS_ERR_INVALID_OPCODE", text: (value) => `invalid opcode ${value}` };
const invalidLength: Row = {
  code: "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
  text: (value) => `invalid payload length ${value}`,
};
const invalidUtf8: Row = {
  code: "WS_ERR_INVALID_UTF8",
  text: "invalid UTF-8 sequence",
  closeCode: 1007,
  Class: Error,
};
const uncountable: Row = {
  code: "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
  text: "Unsupported WebSocket frame: payload length > 2^53 - 1",
  isPlain: true,
  closeCode: 1009,
};
const unexpectedRsv1: Row = { code: "WS_ERR_UNEXPECTED_RSV_1", text: "RSV1 must be clear" };

/** The bits RSV2 and RSV3 of a frame's first byte. */
const rsv2And3 = 0x30;

const rows: { readonly [Code in WebsocketCode]?: Row } = {
  "websocket.bad_opcode": invalidOpcode,
  "websocket.bad_data_frame": invalidOpcode,
  "websocket.bad_continuation": invalidOpcode,
  "websocket.bad_control_fragment": { code: "WS_ERR_EXPECTED_FIN", text: "FIN must be set" },
  "websocket.bad_control_size": invalidLength,
  "websocket.bad_close_size": invalidLength,
  "websocket.bad_unmasked_frame": { code: "WS_ERR_EXPECTED_MASK", text: "MASK must be set" },
  "websocket.bad_masked_frame": { code: "WS_ERR_UNEXPECTED_MASK", text: "MASK must be clear" },
  "websocket.bad_size": {
    code: "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
    text: "the payload length is not in its shortest form",
  },
  "websocket.bad_close_code": { code: "WS_ERR_INVALID_CLOSE_CODE", text: (value) => `invalid status code ${value}` },
  "websocket.bad_frame_payload": invalidUtf8,
  "websocket.bad_close_payload": invalidUtf8,
  "websocket.too_many_fragments": {
    code: "WS_ERR_TOO_MANY_BUFFERED_PARTS",
    text: "Too many message fragments",
    isPlain: true,
    closeCode: 1008,
  },
  "websocket.message_too_big": {
    code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
    text: "Max payload size exceeded",
    isPlain: true,
    closeCode: 1009,
  },
  // zlib's own error, which is what programs know.
  "websocket.bad_deflate_data": {
    code: "Z_DATA_ERROR",
    text: "invalid compressed data",
    isPlain: true,
    closeCode: 1007,
    Class: Error,
  },
};

function rowOf({ code }: ServalError, value: number | undefined): Row {
  if (code === "websocket.bad_reserved_bits") {
    if (((value ?? 0) & rsv2And3) === 0) return unexpectedRsv1;
    return { code: "WS_ERR_UNEXPECTED_RSV_2_3", text: "RSV2 and RSV3 must be clear" };
  }
  if (code === "websocket.message_too_big" && value! > Number.MAX_SAFE_INTEGER) return uncountable;
  return rows[code as WebsocketCode] ?? { code, text: "" };
}

/** What `ws` calls a violation of the protocol or a limit; `value` is what `Protocol` says is not allowed. */
export function failureOf(cause: ServalError, value: number | undefined): Failure {
  const { code, text, isPlain, closeCode = 1002, Class = RangeError } = rowOf(cause, value);
  const words = typeof text === "string" ? text : text(value!);
  const error = new Class(isPlain === true ? words : `Invalid WebSocket frame: ${words}`) as ConnectionError;
  error.code = code;
  if (code === "Z_DATA_ERROR") error.errno = -3;
  return { error, closeCode };
}
