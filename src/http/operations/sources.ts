import { runReported } from "../../core/internal.ts";
import type { Body } from "../messages/body.ts";

// Letting go of bodies that come in parts.

/** Lets go of a body that is not read at all, if it has a way to be told: Web streams have `cancel`, Node's `destroy`. */
export function discard(body: Body): void {
  // JavaScript may have put nothing at all there.
  const { cancel, destroy } = ((body as Body | null | undefined) ?? {}) as Partial<
    Record<"cancel" | "destroy", () => unknown>
  >;
  const end = cancel ?? destroy;
  if (typeof end === "function") runReported(() => end.call(body));
}

/** Lets go of one that is not read to its end. A failure of that is ignored. */
export function stop(source: AsyncIterator<unknown> | undefined): void {
  try {
    source?.return?.()?.then(undefined, ignore);
  } catch {
    // Likewise.
  }
}

function ignore(): void {}
