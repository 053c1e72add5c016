import type { ServalError } from "./error.ts";
import { coreError } from "./errors.ts";

type Operation = "read" | "write" | "teardown";

/** The error of an operation that has to wait for another, or comes too late: `core.operation_pending`, with what to do. */
export function operationPending(running: Operation, wanted: Operation): ServalError {
  return coreError("core.operation_pending", {
    message: `A ${running} is in progress on this stream: ${advice(running, wanted)}`,
  });
}

function advice(running: Operation, wanted: Operation): string {
  if (running === "teardown") return "nothing can be started after it but close";
  return wanted === "teardown" ? "await it before the teardown, or close the stream" : "await it before the next";
}
