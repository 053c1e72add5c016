import type { ServalError } from "./error.ts";
import { coreError } from "./errors.ts";

type Running = "read" | "write" | "shutdown";
type Wanted = Running | "watch";

/** The error of an operation that has to wait for another, or comes too late: `core.operation_pending`, with what to do. */
export function operationPending(running: Running, wanted: Wanted): ServalError {
  return coreError("core.operation_pending", {
    message: `A ${running} is in progress on this stream: ${advice(running, wanted)}`,
  });
}

function advice(running: Running, wanted: Wanted): string {
  if (running === "shutdown") return "nothing can be written after it";
  if (wanted === "watch") return "it tells of the end itself; watch when nothing is read";
  return wanted === "shutdown" ? "await it before the shutdown, or close the stream" : "await it before the next";
}
