import { copyOf } from "../../core/internal.ts";
import type { ResponseParser } from "../codec/response-parser.ts";
import type { Response } from "../messages/response.ts";
import type { Sink } from "../operations/read-operation.ts";

/** A sink for the head of a response, and for its body too if all of that came along: then no buffer is needed for it. */
export class ResponseSink implements Sink<Response> {
  readonly #parser: ResponseParser;
  readonly #owner: { readonly mayTakeBody: boolean };
  /** The body, in memory of its own, if it came with the head and was not taken from here. */
  whole: Uint8Array | undefined;

  constructor(parser: ResponseParser, owner: { readonly mayTakeBody: boolean }) {
    this.#parser = parser;
    this.#owner = owner;
  }

  get isDone(): boolean {
    return this.#parser.isHeaderDone;
  }

  get needsEof(): boolean {
    return false;
  }

  put(bytes: Uint8Array): number {
    const parser = this.#parser;
    const used = parser.put(bytes);
    const size = parser.contentLengthRemaining;
    const isThere = size !== undefined && size > 0 && size <= bytes.length - used && size <= parser.maxBodySize;
    if (!isThere || !this.#owner.mayTakeBody) return used;
    parser.put(bytes.subarray(used, used + size));
    this.whole = copyOf(parser.part, size);
    return used + size;
  }

  end(): void {
    this.#parser.end();
  }

  result(): Response {
    return this.#parser.response!;
  }

  /** Takes the body, once. */
  takeBody(): Uint8Array | undefined {
    const { whole } = this;
    this.whole = undefined;
    return whole;
  }
}
