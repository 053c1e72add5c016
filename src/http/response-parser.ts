import type { Fields } from "./fields.ts";
import { HeadParser, type HeadParserOptions } from "./head-parser.ts";
import { Response } from "./response.ts";
import { StatusLineScanner } from "./status-line-scanner.ts";

/** Options of a {@link ResponseParser}. */
export interface ResponseParserOptions extends HeadParserOptions {}

/**
 * A strict, incremental parser of one response's head: bytes in, a {@link Response} without its body out, no I/O.
 * Beast's `response_parser`.
 *
 * It takes HTTP/1.0 and 1.1 with lines that end in CR LF and nothing looser, but a status line that ends behind the
 * status. What it makes of its bytes does not depend on how they were split.
 */
export class ResponseParser extends HeadParser<StatusLineScanner, Response> {
  constructor(options: ResponseParserOptions = {}) {
    super(new StatusLineScanner(), options);
  }

  /** The response, without its body, once the head is complete and its framing is sound. */
  get response(): Response | undefined {
    return this.message;
  }

  protected override build(line: StatusLineScanner, head: string, fields: Fields): Response {
    return new Response({ status: line.status, reason: line.reason(head), version: line.version, fields });
  }
}
