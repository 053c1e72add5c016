import type { Deflater } from "../deflate/deflate.ts";
import type { PreparedMessage } from "../protocol/prepared.ts";

/**
 * Deflates a prepared message on another thread, once for each size of window; for deflaters without takeover. Returns the
 * payload if it is known already; otherwise the handler gets it, never inside the call.
 */
export function deflatePrepared(
  message: PreparedMessage,
  deflater: Deflater,
  handler: (payload: Uint8Array) => void,
): Uint8Array | undefined {
  const { payload, deflations } = message;
  const { windowBits } = deflater;
  const known = deflations.get(windowBits);
  if (known instanceof Uint8Array) return known;
  if (known !== undefined) {
    known.push(handler);
    return undefined;
  }
  const waiting = [handler];
  deflations.set(windowBits, waiting);
  // By a deflater of its own: other connections wait for it too, and this one may end before.
  deflater.alike().deflateLater(payload, (deflated) => {
    deflations.set(windowBits, deflated);
    for (const each of waiting) each(deflated);
  });
  return undefined;
}
