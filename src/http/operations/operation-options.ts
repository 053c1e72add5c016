import { optionSet, type OptionSet } from "../../core/internal.ts";

/** What every composed operation of this module can be given. */
export interface OperationOptions {
  /** Ends the operation with `core.aborted`, and closes the stream: there is no telling how much has passed. */
  signal?: AbortSignal | undefined;
}

/** The names of {@link OperationOptions}, for all that take these alone. */
export const operationOptions: OptionSet = optionSet("http.read", ["signal"], "{ signal }");
