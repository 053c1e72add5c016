// Every operation of a WebSocket, alone and beside any other, over a transport, whatever fails below.
import { after } from "node:test";
import type { Transport } from "../../../src/net/index.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { Connector } from "../../support/transports.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";
import { everyOperationAlone, everyTwoOperations } from "../../websocket/support/every-operation.ts";
import type { Connect } from "../../websocket/support/operations.ts";

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
  // What the transport itself sees: its end, a reset, an operation that starts later, bytes one by one.
  everyTwoOperations(connect, ["end", "reset", "delay", "short"]);
}
