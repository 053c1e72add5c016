import { defineErrors, type ErrorFactory, type ServalError } from "../../core/index.ts";

/** The codes of the module `http`. */
export const httpErrors = {
  "http.bad_chunk": [
    "protocol_violation",
    "A chunk of the body has no valid size, or does not end where its size says",
  ],
  "http.bad_chunk_extension": ["protocol_violation", "A chunk's extension is malformed"],
  "http.bad_content_length": [
    "protocol_violation",
    "The Content-Length is not a number, or not the length of the body",
  ],
  "http.bad_field": [
    "protocol_violation",
    "A header's name is empty or has a character that is not allowed in a token",
  ],
  "http.bad_host": ["protocol_violation", "The request has no Host, more than one, or a malformed one"],
  "http.bad_line_ending": ["protocol_violation", "A line does not end with CR LF"],
  "http.bad_method": ["protocol_violation", "The method is empty or has a character that is not allowed in a token"],
  "http.bad_obs_fold": ["protocol_violation", "A header continues on a second line"],
  "http.bad_reason": ["protocol_violation", "The reason has a character that is not allowed in it"],
  "http.bad_start_line": [
    "protocol_violation",
    "The message does not begin as one of HTTP/1: a request with a method, a target and a version, a response with a version and a status, with one space between",
  ],
  "http.bad_status": ["protocol_violation", "The status is not a number of three digits"],
  "http.bad_target": ["protocol_violation", "The request target is empty or has a character that is not allowed in it"],
  "http.bad_trailer": [
    "protocol_violation",
    "A header that affects framing, routing or authentication can't be a trailer",
  ],
  "http.bad_transfer_encoding": ["protocol_violation", "The Transfer-Encoding is not allowed here"],
  "http.bad_value": ["protocol_violation", "A header's value has a character that is not allowed in it"],
  "http.bad_version": ["protocol_violation", "The HTTP version is neither 1.0 nor 1.1"],
  "http.body_failed": ["aborted", "The source of the body failed"],
  "http.body_limit": ["limit", "The body of the message is larger than allowed"],
  "http.body_unread": [
    "misuse",
    "The body of the previous response is unread: read it to its end, or close the stream, before the next request on it",
  ],
  "http.body_used": [
    "misuse",
    "The body has already been read, or is being read: keep the result of bytes() or text()",
  ],
  "http.chunk_extension_limit": ["limit", "The extensions of the body's chunks are larger than allowed"],
  "http.end_of_stream": ["closed", "The stream ended before a message began"],
  "http.expectation_failed": ["protocol_violation", "The request expects something other than 100-continue"],
  "http.field_limit": ["limit", "The message has more headers than allowed"],
  "http.handler_failed": ["aborted", "A callback of the application has failed"],
  "http.header_limit": ["limit", "The head of the message is larger than allowed"],
  "http.interim_limit": ["limit", "More interim responses than allowed came before the final one"],
  "http.method_limit": ["limit", "The method is longer than the whole head may be"],
  "http.multiple_content_length": ["protocol_violation", "The message has more than one Content-Length"],
  "http.need_body": ["misuse", "The serializer needs the next part of the body first: put or end"],
  "http.need_header": ["misuse", "The head must be read before the body: call readHeader before readSome"],
  "http.partial_message": ["protocol_violation", "The stream ended inside a message"],
  "http.short_read": ["transport", "The file ended before the end of the part to be sent"],
  "http.stale_parser": ["misuse", "The parser has already parsed its message: make a new parser for each message"],
  "http.target_limit": ["limit", "The request target is longer than allowed"],
  "http.unexpected_body": ["protocol_violation", "The message has a body, but must not have one"],
  "http.unexpected_response": ["protocol_violation", "The server sent bytes before it received a request"],
  "http.unknown_transfer_coding": ["protocol_violation", "The body has a transfer coding other than chunked"],
} as const;

/** Makes an error of the module `http`. */
export const httpError: ErrorFactory<keyof typeof httpErrors> = defineErrors(httpErrors);

/** The options that limit a message. */
export type Limit = "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize";

const limitCodes = {
  maxBodySize: "http.body_limit",
  maxChunkExtensionSize: "http.chunk_extension_limit",
  maxHeadersCount: "http.field_limit",
  maxHeaderSize: "http.header_limit",
} as const;

/** The error of a message over a limit, by default the option's own; its message names the option and its value. */
export function limitError(
  option: Limit,
  limit: number,
  code: keyof typeof httpErrors = limitCodes[option],
): ServalError {
  return httpError(code, { message: `${httpErrors[code][1]}: ${option} is ${limit}` });
}
