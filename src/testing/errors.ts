import { defineErrors, type ErrorFactory } from "../core/index.ts";

/** The codes of the module `testing`. */
export const testingErrors = {
  "testing.failure": ["transport", "The test made this operation fail"],
} as const;

/** Makes an error of the module `testing`. */
export const testingError: ErrorFactory<keyof typeof testingErrors> = defineErrors(testingErrors);
