import { coreError, type Clock } from "../../core/index.ts";
import { attentive } from "../../core/internal.ts";

/**
 * Runs an operation until a time of the clock. At that time its signal is aborted, and this rejects with
 * `core.timeout`.
 */
export async function before<Result>(
  until: number,
  clock: Clock,
  operation: (signal: AbortSignal) => Promise<Result>,
  message = "There was no answer in time",
): Promise<Result> {
  const controller = new AbortController();
  let late!: () => void;
  const timedOut = new Promise<never>((_, reject) => {
    late = () => {
      reject(coreError("core.timeout", { message }));
      controller.abort();
    };
  });
  const left = until - clock.now();
  const timer = left === Infinity ? undefined : attentive(clock).setTimer(Math.max(0, left), late);
  try {
    const result = operation(controller.signal);
    // The rejection by our own abort is ignored.
    result.catch(() => {});
    return await Promise.race([result, timedOut]);
  } finally {
    timer?.cancel();
  }
}
