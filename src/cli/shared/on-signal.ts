/** The part of `process` that emits signals. */
export interface Signalled {
  once(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/**
 * Calls the listener at the first SIGINT or SIGTERM; a second one ends the process. Returns a function that removes the
 * listener.
 */
export function onSignal(signalled: Signalled, listener: () => void): () => void {
  const end = (): void => {
    signalled.off("SIGINT", first);
    signalled.off("SIGTERM", first);
  };
  const first = (): void => {
    end();
    listener();
  };
  signalled.once("SIGINT", first);
  signalled.once("SIGTERM", first);
  return end;
}
