import type { Clock, FlatBuffer } from "../../core/index.ts";
import type { OperationOptions } from "../operations/operation-options.ts";
import type { IncomingBody } from "../operations/incoming-body.ts";
import type { ResponseParserOptions } from "../codec/response-parser.ts";
import type { Response } from "../messages/response.ts";

/** Deadlines of `request`, in milliseconds; Infinity for none. For one of the whole, give it a `signal`. */
export interface RequestTimeouts {
  /** For 100 (Continue), for which a request with `Expect: 100-continue` waits; then it sends its body. Default 1,000. */
  continue?: number | undefined;
}

/**
 * Options of `request`. `maxBodySize` has no default: the body is read as it is asked for, and `bytes` and `text` have a
 * limit of their own.
 */
export interface RequestOptions
  extends
    OperationOptions,
    Pick<ResponseParserOptions, "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize"> {
  /**
   * Where bytes after the response are left: the same one for all requests on a stream, and for the protocol
   * after a 101 or a CONNECT. Any that are there before the request fail it, with `http.unexpected_response`. Default
   * one of its own, whose bytes are lost.
   */
  buffer?: FlatBuffer | undefined;
  /** An interim response has come: 1xx but 101, such as 103 (Early Hints). At most 8 are taken. */
  interim?: ((response: Response) => void) | undefined;
  /** See {@link RequestTimeouts}. */
  timeouts?: RequestTimeouts | undefined;
  /** Where time comes from. Default the platform's. */
  clock?: Clock | undefined;
}

/** A response as a client gets it: its body, if it has one, is read as it is asked for. */
export type IncomingResponse = Response<Uint8Array | IncomingBody>;
