import type { Fields } from "../messages/fields.ts";
import { requestFraming, type Framing } from "../messages/framing.ts";
import { MessageParser, type MessageParserOptions } from "./message-parser.ts";
import { RequestLineScanner } from "./request-line-scanner.ts";
import { Request } from "../messages/request.ts";

/** Options of a {@link RequestParser}. */
export interface RequestParserOptions extends MessageParserOptions {}

/**
 * A strict, incremental parser of one request: bytes in, a {@link Request} out, no I/O.
 *
 * It accepts HTTP/1.0 and 1.1; every line must end with CR LF. At most one empty line may precede the request line (RFC
 * 9112 2.2), and the only transfer coding is chunked. The result does not depend on how the bytes are split.
 */
export class RequestParser extends MessageParser<RequestLineScanner, Request<Uint8Array>> {
  constructor(options: RequestParserOptions = {}) {
    super(new RequestLineScanner(), options, 1024 * 1024);
  }

  /**
   * The request, once its head is complete and its framing valid; its body is complete when the parser is done, if it
   * is eager.
   */
  get request(): Request<Uint8Array> | undefined {
    return this.message;
  }

  protected override build(line: RequestLineScanner, head: string, headers: Fields): Request<Uint8Array> {
    return new Request({ method: line.method(head), target: line.target(head), version: line.version }, headers);
  }

  protected override frame({ method, headers, version }: Request): Framing {
    return requestFraming(headers, version, method);
  }
}
