// Every operation of a WebSocket, and of HTTP, alone and beside any other, over a transport, whatever fails below.
import { after } from "node:test";
import type { Transport } from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { Connector } from "../../support/transports.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";
import { everyHttpOperation } from "../../faults/support/http-operations.ts";
import { everyOperationAlone, everyTwoOperations } from "../../websocket/support/every-operation.ts";
import type { Failure } from "../../../src/testing/index.ts";
import type { Connect } from "../../websocket/support/operations.ts";

/** What the transport itself sees: its end, a reset, an operation that starts later, bytes one by one. */
const failures: readonly Failure[] = ["end", "reset", "delay", "short"];

/** The tests; the server's operations fail on the accepted end, the client's on the one that connected. */
export function operationsOver(transport: Transport): void {
  const connector = Connector.listening(transport);
  const connect: Connect = async (run, role) => {
    const [accepted, connected] = await (await connector).connect();
    return role === "server" ? [run.wrap(accepted), connected] : [run.wrap(connected), accepted];
  };

  assertNoneUnhandled();
  // A look at borrowed bytes that comes too late shows.
  scrubReads(true);
  after(async () => (await connector).close());

  everyOperationAlone(connect);
  everyTwoOperations(connect, failures);
  everyHttpOperation([(run) => connect(run, "server"), (run) => connect(run, "client")], failures);
}
