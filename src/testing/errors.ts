import { defineErrors, type ErrorFactory } from "../core/index.ts";

/** The codes of the module `testing`. */
export const testingErrors = {
  "testing.failure": ["transport", "The test made this operation fail"],
  "testing.no_operations": ["misuse", "The scenario starts no operation on the streams of its run"],
  "testing.run_failed": ["misuse", "The scenario failed in one of its runs"],
  "testing.too_many_runs": ["misuse", "The scenario meets further operations in every run"],
} as const;

/** Makes an error of the module `testing`. */
export const testingError: ErrorFactory<keyof typeof testingErrors> = defineErrors(testingErrors);
