// Heads that more than one test uses, and ways to feed them.
import { ServalError } from "../../src/core/index.ts";
import { RequestParser, type RequestParserOptions } from "../../src/http/index.ts";

/** Characters up to U+00FF as bytes. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** An upgrade request as Chrome sends it. */
export const chrome: string = [
  "GET /chat?room=1 HTTP/1.1",
  "Host: localhost:8080",
  "Connection: Upgrade",
  "Pragma: no-cache",
  "Cache-Control: no-cache",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Upgrade: websocket",
  "Origin: http://localhost:8080",
  "Sec-WebSocket-Version: 13",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-US,en;q=0.9",
  "Cookie: session=4f0c8d7e2b; theme=dark",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
  "\r\n",
].join("\r\n");

/** The ways to cut `bytes` in two, none of the pieces empty, and to cut them into single bytes. */
export function* splitsOf(bytes: Uint8Array): Generator<Uint8Array[], undefined, unknown> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** What a parser made of its bytes, in a form to compare. */
export interface Outcome {
  code?: string;
  /** How many bytes had been given when the outcome was there. */
  given: number;
  request?: { method: string; target: string; version: number; fields: readonly string[] };
  headSize: number;
  contentLength: number | undefined;
  hasBody: boolean;
  gotSome: boolean;
}

/** Feeds a new parser piece by piece until it is done or fails. */
export function parse(pieces: readonly Uint8Array[], options?: RequestParserOptions): Outcome {
  const parser = new RequestParser(options);
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  const outcome = (given: number, code?: string): Outcome => ({
    ...(code !== undefined && { code }),
    given,
    ...(parser.request !== undefined && {
      request: {
        method: parser.request.method,
        target: parser.request.target,
        version: parser.request.version,
        fields: parser.request.fields.raw,
      },
    }),
    headSize: parser.headSize,
    contentLength: parser.contentLength,
    hasBody: parser.hasBody,
    gotSome: parser.gotSome,
  });
  let given = 0;
  for (const piece of pieces) {
    all.set(piece, given);
    given += piece.length;
    try {
      const used = parser.put(all.slice(0, given));
      if (used !== parser.headSize || used > 0 !== parser.isDone) throw new Error("put and the parser disagree");
    } catch (error) {
      if (error instanceof ServalError) return outcome(given, error.code);
      throw error;
    }
    if (parser.isDone) break;
  }
  return outcome(given);
}
