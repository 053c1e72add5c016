import type { Failure, Run } from "../../src/testing/index.ts";

/** The codes that a failure of the transport leads to, whatever stands on it. */
const caused: Readonly<Record<Failure, readonly string[]>> = {
  error: ["testing.failure"],
  end: ["websocket.closed", "http.end_of_stream", "http.partial_message"],
  reset: ["core.connection_reset"],
  abort: ["core.aborted"],
  delay: [],
  stall: ["core.timeout"],
  short: [],
};

/** The outcomes that are right for an operation in a run: those that it has where nothing fails, and what the failure leads to. */
export function outcomes(run: Run, ...usual: (string | undefined)[]): readonly (string | undefined)[] {
  return run.met === undefined ? usual : [...usual, ...caused[run.failure!]];
}
