import type { ThreadedDeflater } from "../deflate/deflate-later.ts";
import type { PreparedMessage } from "../protocol/prepared.ts";

/**
 * Compresses a prepared message on another thread, once for each size of window; for deflaters without takeover.
 * Returns the payload if it exists; otherwise the handler gets it, never inside the call.
 */
export function deflatePrepared(
  message: PreparedMessage,
  deflater: ThreadedDeflater,
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
  // With a separate deflater, since other connections wait for the result too, and this one may end first.
  deflater.alike().deflateLater(payload, (deflated) => {
    deflations.set(windowBits, deflated);
    for (const each of waiting) each(deflated);
  });
  return undefined;
}
