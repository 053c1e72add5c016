import { ServalError } from "../../core/index.ts";
import { rejected, reportError } from "../../core/internal.ts";
import type { Connection } from "../connection/connection.ts";
import { thrownBy } from "../frames/errors.ts";

/** The parts of a connection that a failure of the application ends. */
export type Failing = Pick<Connection<unknown>, "context" | "resumed">;

/**
 * The promise of an operation that was called in a wrong way. If nothing handles it, this counts as a handler that
 * rejects, since the mistake would otherwise be lost; without an open connection it goes to the console.
 */
export function misused(connection: Failing | ServalError | undefined, misuse: unknown): Promise<never> {
  return rejected(misuse, () => {
    if (connection === undefined || connection instanceof ServalError) {
      reportError(misuse);
      return;
    }
    const error = thrownBy("websocket.handler_failed", misuse, "A call whose promise nothing handles has failed");
    connection.context.runInAsyncScope(connection.resumed, connection, error);
  });
}
