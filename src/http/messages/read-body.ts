import { FlatBuffer } from "../../core/index.ts";
import { checkNumber, handled } from "../../core/internal.ts";
import { partOf, type Body } from "./body.ts";
import { httpError } from "./errors.ts";

/** Options of a message's `bytes` and `text`. */
export interface ReadBodyOptions {
  /** The most bytes that are held; Infinity for no limit. Default 16 MiB. */
  limit?: number;
}

/** A whole body as bytes; those of a body that is bytes already are not copied. Rejects with `http.body_limit`, and as the body does. */
export function readBody(body: Body, options: ReadBodyOptions = {}): Promise<Uint8Array> {
  return handled(gather(body, options.limit));
}

async function gather(body: Body, given: number | undefined): Promise<Uint8Array> {
  const limit = checkNumber("limit", given, 16 * 1024 * 1024);
  if (body instanceof Uint8Array) {
    if (body.length > limit) throw tooLarge(limit);
    return body;
  }
  const gathered = new FlatBuffer();
  for await (const part of body) {
    const bytes = partOf(part);
    if (gathered.size + bytes.length > limit) throw tooLarge(limit);
    gathered.append(bytes);
  }
  return gathered.data();
}

function tooLarge(limit: number): Error {
  return httpError("http.body_limit", { message: `The body has more than ${limit} bytes, the option limit` });
}
