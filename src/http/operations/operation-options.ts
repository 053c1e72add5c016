import { optionSet, type OptionSet } from "../../core/internal.ts";

/** Options of every composed operation of this module. */
export interface OperationOptions {
  /**
   * Ends the operation with `core.aborted`, and closes the stream, since it is unknown how much was transferred. A write
   * resets it, so that part of a message can't be taken for all of it.
   */
  signal?: AbortSignal | undefined;
}

/** The names of {@link OperationOptions}, for functions without others. */
export const operationOptions: OptionSet = optionSet("http.read", ["signal"], "{ signal }");
