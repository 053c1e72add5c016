import type { ServalError } from "../../core/index.ts";

/** What a served request needs of its exchange. */
export interface FollowedExchange {
  readonly signal: AbortSignal;
  /** Called if the exchange fails. One for each exchange. */
  onFailed?: ((error: ServalError) => void) | undefined;
}
