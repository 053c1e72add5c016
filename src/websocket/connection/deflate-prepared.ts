import type { Deflater } from "../deflate/deflate.ts";
import type { PreparedMessage } from "../protocol/prepared.ts";

/**
 * Deflates a prepared message off the event loop's thread, once for each size of window; for deflaters without takeover.
 * Never calls back inside the call.
 */
export function deflatePrepared(
  message: PreparedMessage,
  deflater: Deflater,
  handler: (payload: Uint8Array) => void,
): void {
  const { payload, deflations } = message;
  const { windowBits } = deflater;
  const known = deflations.get(windowBits);
  if (known instanceof Uint8Array) queueMicrotask(() => handler(known));
  else if (known !== undefined) known.push(handler);
  else {
    const waiting = [handler];
    deflations.set(windowBits, waiting);
    // By a deflater of its own: other connections wait for it too, and this one may end before.
    deflater.alike().deflateLater(payload, (deflated) => {
      deflations.set(windowBits, deflated);
      for (const each of waiting) each(deflated);
    });
  }
}
