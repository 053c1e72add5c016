// Waiting for what is ready, and settling what a test holds back.

/** Lets everything that is ready run, timers apart: pairs in memory need no more than a turn of the event loop. */
export async function quiet(turns = 1): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs `act` after `count` more microtasks: each step at which something can come in between. */
export function afterSteps(count: number, act: () => unknown): void {
  if (count === 0) act();
  else queueMicrotask(() => afterSteps(count - 1, act));
}

/** A promise that is settled from outside. */
export function deferred<Value = void>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
