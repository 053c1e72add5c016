import { defineErrors, type ErrorFactory } from "../core/error.ts";

/** The codes of the module `http`, in Beast's words. */
export const httpErrors = {
  "http.bad_chunk": ["protocol_violation", "A chunk of the body has no valid size, or does not end where that says"],
  "http.bad_chunk_extension": ["protocol_violation", "A chunk's extension has a character that is not allowed there"],
  "http.bad_content_length": ["protocol_violation", "The Content-Length is not a number, or not that of the body"],
  "http.bad_field": ["protocol_violation", "A field's name is empty or has a character that no token may have"],
  "http.bad_line_ending": ["protocol_violation", "A line does not end with CR LF"],
  "http.bad_method": ["protocol_violation", "The method is empty or has a character that no token may have"],
  "http.bad_obs_fold": ["protocol_violation", "A field goes on in a second line"],
  "http.bad_reason": ["protocol_violation", "The reason has a character that is not allowed there"],
  "http.bad_status": ["protocol_violation", "The status is not a number of three digits"],
  "http.bad_target": ["protocol_violation", "The request target is empty or has a character that is not allowed there"],
  "http.bad_transfer_encoding": ["protocol_violation", "The Transfer-Encoding is not allowed here"],
  "http.bad_value": ["protocol_violation", "A field's value has a character that is not allowed there"],
  "http.bad_version": ["protocol_violation", "The HTTP version is neither 1.0 nor 1.1"],
  "http.end_of_stream": ["closed", "The stream ended before a message began"],
  "http.field_limit": ["limit", "The message has more fields than allowed"],
  "http.header_limit": ["limit", "The head of the message is larger than allowed"],
  "http.interim_limit": ["limit", "More interim responses than allowed came before the final one"],
  "http.multiple_content_length": ["protocol_violation", "The message has more than one Content-Length"],
  "http.partial_message": ["protocol_violation", "The stream ended inside a message"],
  "http.stale_parser": ["misuse", "The parser has parsed its message: each message takes a new one"],
  "http.unexpected_body": ["protocol_violation", "The message has a body where none is expected"],
} as const;

/** Makes an error of the module `http`. */
export const httpError: ErrorFactory<keyof typeof httpErrors> = defineErrors(httpErrors);
