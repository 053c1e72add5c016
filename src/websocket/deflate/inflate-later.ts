import { inflateRaw } from "node:zlib";
import type { WebsocketCode } from "../frames/errors.ts";
import { mostStreams } from "./inflate.ts";
import { Alone, whatIsWrong, type Inflated } from "./zlib.ts";

/**
 * Inflates a message on another thread, to at most `limit` bytes, without earlier messages. The payload may change
 * meanwhile. The handler gets bytes of the receiver's own, or the payload's error; never inside this call.
 */
export function inflateLater(
  payload: Uint8Array,
  limit: number,
  handler: (result: Uint8Array | WebsocketCode) => void,
): void {
  const alone = new Alone(payload, limit, mostStreams);
  const next = (): void => {
    inflateRaw(alone.input, alone.options, (error, result) => {
      const outcome = error === null ? alone.add(result as unknown as Inflated) : whatIsWrong(error);
      if (outcome === undefined) next();
      else handler(outcome);
    });
  };
  next();
}
