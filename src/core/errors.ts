import { defineErrors, ServalError, type ErrorFactory } from "./error.ts";

/** The codes of the module `core`. */
export const coreErrors = {
  "core.aborted": ["aborted", "The operation was aborted"],
  "core.buffer_overflow": ["limit", "The buffer's maximum size would be exceeded"],
  "core.connection_reset": ["transport", "The peer reset the connection"],
  "core.invalid_argument": ["misuse", "An argument is not of the kind that the operation takes"],
  "core.operation_pending": ["misuse", "An operation of this kind is already in progress on the stream"],
  "core.timeout": ["timeout", "The deadline passed"],
  "core.transport": ["transport", "The transport failed"],
  "core.write_ended": ["aborted", "The write side of the stream was ended, so nothing more can be written"],
} as const;

/** Makes an error of the module `core`. */
export const coreError: ErrorFactory<keyof typeof coreErrors> = defineErrors(coreErrors);

/** The error of an invalid argument, `core.invalid_argument`; the message says what is expected. */
export function invalidArgument(message: string): ServalError {
  return coreError("core.invalid_argument", { message });
}

/** The error of an operation ended by a signal: `core.aborted`, with the signal's reason as its cause. */
export function abortError(signal: { readonly reason?: unknown }): ServalError {
  return coreError("core.aborted", { cause: signal.reason });
}

/**
 * The error for an exception or error event of a transport: `core.connection_reset` for resets, else `core.transport`.
 */
export function transportError(cause: unknown): ServalError {
  if (cause instanceof ServalError) return cause;
  const errno = (cause as { code?: unknown } | undefined)?.code;
  // A reset that a read reports as ECONNRESET is EPIPE for a write.
  const reset = errno === "ECONNRESET" || errno === "EPIPE";
  return coreError(reset ? "core.connection_reset" : "core.transport", { cause });
}

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
