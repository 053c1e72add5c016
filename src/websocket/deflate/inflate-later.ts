import type { WebsocketCode } from "../frames/errors.ts";
import { mostStreams } from "./inflate.ts";
import { inflateAloneLater } from "./zlib.ts";

/**
 * Inflates a message on another thread, to at most `limit` bytes, without earlier messages. The payload must not change
 * meanwhile. The handler gets bytes of the receiver's own, or the payload's error; never inside this call.
 */
export function inflateLater(
  payload: Uint8Array,
  limit: number,
  handler: (result: Uint8Array | WebsocketCode) => void,
): void {
  inflateAloneLater(payload, limit, mostStreams, handler);
}
