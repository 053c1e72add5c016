import type { Clock, FlatBuffer } from "../../core/index.ts";
import type { OperationOptions } from "../operations/operation-options.ts";
import type { IncomingBody } from "../operations/incoming-body.ts";
import type { ResponseParserOptions } from "../codec/response-parser.ts";
import type { Response } from "../messages/response.ts";

/** Deadlines of `request`, in milliseconds; Infinity for none. To limit the whole, pass a `signal`. */
export interface RequestTimeouts {
  /**
   * How long a request with `Expect: 100-continue` waits for 100 (Continue) before it sends its body anyway. Default
   * 1,000.
   */
  continue?: number | undefined;
}

/**
 * Options of `request`. `maxBodySize` has no default: the body is read on demand, and `bytes` and `text` have a limit
 * of their own.
 */
export interface RequestOptions
  extends
    OperationOptions,
    Pick<ResponseParserOptions, "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize"> {
  /**
   * Gets the bytes after the response. Pass the same buffer to all requests on a stream, and to the protocol after a
   * 101 or a CONNECT. If it holds bytes before the request, that fails with `http.unexpected_response`. Default: a
   * buffer of its own, whose bytes are lost.
   */
  buffer?: FlatBuffer | undefined;
  /** Called for an interim response: any 1xx except 101, such as 103 (Early Hints). At most 8 are accepted. */
  interim?: ((response: Response) => void) | undefined;
  /** See {@link RequestTimeouts}. */
  timeouts?: RequestTimeouts | undefined;
  /** The source of time. Default: the platform's. */
  clock?: Clock | undefined;
}

/** A response as a client gets it; its body, if there is one, is read on demand. */
export type IncomingResponse = Response<Uint8Array | IncomingBody>;
