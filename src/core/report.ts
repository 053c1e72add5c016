/**
 * Tells of an application's own failure that nothing else took: a handler that threw where no `error` handler is set.
 * It must not be lost, and must not end a process that serves others.
 */
export function reportError(error: unknown): void {
  console.error(error);
}
