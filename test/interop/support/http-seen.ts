// What is compared: messages, and what our parser makes of them.
import { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { RequestParser, ResponseParser, type Fields, type Request, type Response } from "../../../src/http/index.ts";
import { bytesOf } from "../../http/support/samples.ts";

/** What is parsed: bytes as text up to U+00FF, and for a response the method that it answers. */
export interface Input {
  readonly kind: "request" | "response";
  /** Default `GET`. */
  readonly method?: string;
  readonly text: string;
}

/** A head as one of the parsers has understood it. */
export interface Head {
  /** Method and target, or status and reason; then the version. */
  readonly start: readonly [string, string, string];
  /** Names and values in turn, without the space around values. */
  readonly headers: readonly string[];
}

/** What a parser has made of an input, and of its end behind it. */
export interface Seen {
  /** Whether there is a whole message, or more is wanted, or something was wrong. */
  readonly end: "whole" | "unfinished" | "refused";
  /** What was wrong. */
  readonly code?: string;
  /** Where the message ended, or where that was seen which is wrong; else the size of the input. */
  readonly at: number;
  readonly head?: Head;
  /** The body, as far as it was there. */
  readonly body: string;
  readonly trailers: readonly string[];
}

/** What ours has seen, without a limit on the body, since llhttp has none. */
export function ours(input: Input): Seen {
  const bytes = bytesOf(input.text);
  const seen = parse(input, bytes, bytes.length);
  // Byte by byte it shows at which one.
  return seen.end === "refused" ? parse(input, bytes, 1) : seen;
}

/** Has so many more bytes come each time. */
function parse({ kind, method = "GET" }: Input, bytes: Uint8Array, step: number): Seen {
  const options = { maxBodySize: Infinity, method };
  const parser = kind === "request" ? new RequestParser(options) : new ResponseParser(options);
  let body = "";
  let given = 0;
  const result = (end: Seen["end"], at: number, code?: string): Seen => ({
    end,
    ...(code !== undefined && { code }),
    at,
    ...(parser.message !== undefined && { head: headOf(parser.message) }),
    body,
    trailers: parser.isDone ? parser.trailers.raw : [],
  });
  try {
    for (let at = 0; given < bytes.length;) {
      given += step;
      for (let used = -1; used !== 0 && at < given && !parser.isDone;) {
        used = parser.put(bytes.subarray(at, given));
        body += decodeLatin1(parser.part, 0, parser.part.length);
        at += used;
      }
      if (parser.isDone) return result("whole", at);
    }
  } catch (error) {
    if (error instanceof ServalError) return result("refused", given - 1, error.code);
    throw error;
  }
  try {
    parser.end();
    return result("whole", given);
  } catch {
    return result("unfinished", given);
  }
}

function headOf(message: Request | Response): Head {
  const version = `1.${message.version - 10}`;
  const headers: readonly string[] = (message.headers as Fields).raw;
  if ("target" in message) return { start: [message.method, message.target, version], headers };
  return { start: [String(message.status), message.reason, version], headers };
}
