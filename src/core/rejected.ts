const ignore = (): void => {};

/** A rejected promise that knows whether anything handles it. */
class Rejected extends Promise<never> {
  isHandled = false;

  /** Promises made from it are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise has one
  override then<Result = never, Failed = never>(
    ...handlers: Parameters<Promise<never>["then"]>
  ): Promise<Result | Failed> {
    this.isHandled = true;
    return super.then(...handlers) as Promise<Result | Failed>;
  }
}

/**
 * A promise rejected with `error`, for an operation whose promise few programs await. If nothing handles it before the
 * next turn of the event loop, `unheard` is called, in the caller's context; the promise never ends the process. Only
 * for failures: it costs more than a plain promise.
 */
export function rejected(error: unknown, unheard: () => void): Promise<never> {
  const promise = new Rejected((_, reject) => reject(error));
  // Node ends the process for a rejection that nothing handles.
  void promise.then(undefined, ignore);
  promise.isHandled = false;
  setImmediate(() => {
    if (!promise.isHandled) unheard();
  });
  return promise;
}
