import type { ByteStream, Clock, FlatBuffer } from "../../core/index.ts";
import { attentive } from "../../core/internal.ts";
import type { FinalResponseParser } from "../codec/final-response-parser.ts";
import { isRedirect } from "../messages/status.ts";
import { readResponse } from "./read-response.ts";

/** The most bytes of a refusal's body, and the milliseconds that it may take after its head. */
const mostBytes = 65_536;
const mostMs = 1_000;

/**
 * Reads the body of a response that refuses or redirects, of which the parser has the head; its `maxBodySize` was 0. The
 * head has decided already, so the body gets little time and room, and nothing that happens to it is a failure: what has
 * come of it is in `parser.response`, and `parser.isCut` says whether something is missing. That of a redirect is not
 * waited for at all, since Location says everything.
 *
 * Calls back once, perhaps inside the call. The stream may be closed then, and is of no use otherwise. Throws if the
 * stream is used elsewhere.
 */
export function readRefusal(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
  handler: () => void,
): void {
  parser.maxBodySize = mostBytes;
  if (parser.isDone || isRedirect(parser.response!)) {
    take(buffer, parser);
    handler();
    return;
  }
  const timer = attentive(clock).setTimer(mostMs, () => stream.close());
  const done = (): void => {
    timer.cancel();
    handler();
  };
  try {
    readResponse(stream, buffer, parser, { signal }, done);
  } catch (misuse) {
    timer.cancel();
    throw misuse;
  }
}

/** Takes what has come of the body along with the head. */
function take(buffer: FlatBuffer, parser: FinalResponseParser): void {
  if (parser.isDone) return;
  try {
    parser.put(buffer.data());
  } catch {
    // It is malformed, and cut there.
  }
}
