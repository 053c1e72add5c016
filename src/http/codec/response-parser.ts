import { checkString } from "../../core/internal.ts";
import type { Fields } from "../messages/fields.ts";
import { responseFraming, switchesProtocol, type Framing } from "../messages/framing.ts";
import { MessageParser, type MessageParserOptions } from "./message-parser.ts";
import { Response } from "../messages/response.ts";
import { StatusLineScanner } from "./status-line-scanner.ts";

/** Options of a {@link ResponseParser}. */
export interface ResponseParserOptions extends MessageParserOptions {
  /**
   * The method of the request that is answered: a response to HEAD has no body, nor has one that opens a tunnel for
   * CONNECT. Default `GET`.
   */
  method?: string | undefined;
}

/**
 * A strict, incremental parser of one response: bytes in, a {@link Response} out, no I/O.
 *
 * It accepts HTTP/1.0 and 1.1; every line must end with CR LF, but a status line may end after the status. The only
 * transfer coding is chunked. The result does not depend on how the bytes are split.
 */
export class ResponseParser extends MessageParser<StatusLineScanner, Response> {
  readonly #method: string;
  readonly #skipsBody: boolean;

  constructor(options: ResponseParserOptions = {}) {
    super(new StatusLineScanner(), options, 8 * 1024 * 1024);
    this.#method = checkString("method", options.method) ?? "GET";
    this.#skipsBody = options.skipBody === true;
  }

  /**
   * The response, once its head is complete and its framing valid; its body is complete when the parser is done, if it
   * is eager.
   */
  get response(): Response | undefined {
    return this.message;
  }

  protected override build(line: StatusLineScanner, head: string, headers: Fields): Response {
    return new Response({ status: line.status, reason: line.reason(head), version: line.version, headers });
  }

  protected override frame(response: Response): Framing {
    const { headers, version, status } = response;
    const framing = responseFraming(headers, version, status, this.#method);
    const endsWithBody = framing === "eof" && !this.#skipsBody;
    if (endsWithBody || switchesProtocol(status, this.#method)) response.endConnection();
    return framing;
  }
}
