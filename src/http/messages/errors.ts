import { defineErrors, type ErrorFactory, type ServalError } from "../../core/index.ts";

/** The codes of the module `http`, in Beast's words. */
export const httpErrors = {
  "http.bad_chunk": ["protocol_violation", "A chunk of the body has no valid size, or does not end where that says"],
  "http.bad_chunk_extension": ["protocol_violation", "A chunk's extension is malformed"],
  "http.bad_content_length": ["protocol_violation", "The Content-Length is not a number, or not that of the body"],
  "http.bad_field": ["protocol_violation", "A field's name is empty or has a character that no token may have"],
  "http.bad_host": ["protocol_violation", "The request has no Host, more than one, or one that is malformed"],
  "http.bad_line_ending": ["protocol_violation", "A line does not end with CR LF"],
  "http.bad_method": ["protocol_violation", "The method is empty or has a character that no token may have"],
  "http.bad_obs_fold": ["protocol_violation", "A field goes on in a second line"],
  "http.bad_reason": ["protocol_violation", "The reason has a character that is not allowed there"],
  "http.bad_status": ["protocol_violation", "The status is not a number of three digits"],
  "http.bad_target": ["protocol_violation", "The request target is empty or has a character that is not allowed there"],
  "http.bad_trailer": ["protocol_violation", "A field that says how a message is framed or routed can't be a trailer"],
  "http.bad_transfer_encoding": ["protocol_violation", "The Transfer-Encoding is not allowed here"],
  "http.bad_value": ["protocol_violation", "A field's value has a character that is not allowed there"],
  "http.bad_version": ["protocol_violation", "The HTTP version is neither 1.0 nor 1.1"],
  "http.body_failed": ["aborted", "The source of the body failed"],
  "http.body_limit": ["limit", "The body of the message is larger than allowed"],
  "http.body_unread": [
    "misuse",
    "The body of the response before is unread: read it to its end, or close the stream, before the next request on it",
  ],
  "http.body_used": [
    "misuse",
    "The body has been read already, or is being read: keep what bytes() or text() returned",
  ],
  "http.chunk_extension_limit": ["limit", "The extensions of the body's chunks are larger than allowed"],
  "http.end_of_stream": ["closed", "The stream ended before a message began"],
  "http.expectation_failed": ["protocol_violation", "The request expects something else than 100-continue"],
  "http.field_limit": ["limit", "The message has more headers than allowed"],
  "http.handler_failed": ["aborted", "A callback of the application has failed"],
  "http.header_limit": ["limit", "The head of the message is larger than allowed"],
  "http.interim_limit": ["limit", "More interim responses than allowed came before the final one"],
  "http.multiple_content_length": ["protocol_violation", "The message has more than one Content-Length"],
  "http.need_body": ["misuse", "The serializer needs the next part of the body first: put or end"],
  "http.need_header": ["misuse", "The head has to be read before the body: readHeader comes before readSome"],
  "http.partial_message": ["protocol_violation", "The stream ended inside a message"],
  "http.short_read": ["transport", "The file ended before the part of it that is to be sent"],
  "http.stale_parser": ["misuse", "The parser has parsed its message: each message takes a new one"],
  "http.unexpected_body": ["protocol_violation", "The message has a body where none is expected"],
  "http.unexpected_response": ["protocol_violation", "The server has sent something before it was asked for anything"],
  "http.unknown_transfer_coding": ["protocol_violation", "The body has a transfer coding besides chunked"],
} as const;

/** Makes an error of the module `http`. */
export const httpError: ErrorFactory<keyof typeof httpErrors> = defineErrors(httpErrors);

/** What may be limited of a message, by the options of its parser. */
export type Limit = "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize";

const limitCodes = {
  maxBodySize: "http.body_limit",
  maxChunkExtensionSize: "http.chunk_extension_limit",
  maxHeadersCount: "http.field_limit",
  maxHeaderSize: "http.header_limit",
} as const;

/** The error of a message that goes beyond a limit; its message says which option that is, and what it is set to. */
export function limitError(option: Limit, limit: number): ServalError {
  const code = limitCodes[option];
  return httpError(code, { message: `${httpErrors[code][1]}: ${option} is ${limit}` });
}
