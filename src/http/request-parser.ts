import type { Fields } from "./fields.ts";
import { HeadParser, type HeadParserOptions } from "./head-parser.ts";
import { RequestLineScanner } from "./request-line-scanner.ts";
import { Request } from "./request.ts";

/** Options of a {@link RequestParser}. */
export interface RequestParserOptions extends HeadParserOptions {}

/**
 * A strict, incremental parser of one request's head: bytes in, a {@link Request} out, no I/O. Beast's
 * `request_parser`.
 *
 * It takes HTTP/1.0 and 1.1 with lines that end in CR LF and nothing looser, and at most one empty line before the
 * request line (RFC 9112 2.2). What it makes of its bytes does not depend on how they were split.
 */
export class RequestParser extends HeadParser<RequestLineScanner, Request> {
  constructor(options: RequestParserOptions = {}) {
    super(new RequestLineScanner(), options);
  }

  /** The request, once the head is complete and its framing is sound. */
  get request(): Request | undefined {
    return this.message;
  }

  /** Whether a body follows the head: a Content-Length above 0, or any Transfer-Encoding. RFC 9112 6.3. */
  get hasBody(): boolean {
    if (this.contentLength !== undefined) return this.contentLength > 0;
    return this.message?.fields.has("Transfer-Encoding") ?? false;
  }

  protected override build(line: RequestLineScanner, head: string, fields: Fields): Request {
    return new Request({ method: line.method(head), target: line.target(head), version: line.version, fields });
  }
}
