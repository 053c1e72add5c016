import type { ServalError } from "../../core/index.ts";

/** The status that tells a client what is wrong with its request; undefined if the client has gone. */
export function refusalStatus(error: ServalError): number | undefined {
  switch (error.code) {
    case "core.timeout":
      return 408;
    case "http.body_limit":
    case "http.chunk_extension_limit":
    case "core.buffer_overflow":
      return 413;
    case "http.target_limit":
      return 414;
    case "http.expectation_failed":
      return 417;
    case "http.header_limit":
    case "http.field_limit":
      return 431;
    // RFC 9112 3: a method longer than any that is implemented.
    case "http.method_limit":
    case "http.unknown_transfer_coding":
      return 501;
    case "http.bad_version":
      return 505;
    default:
      return error.code.startsWith("http.") && error.condition === "protocol_violation" ? 400 : undefined;
  }
}
