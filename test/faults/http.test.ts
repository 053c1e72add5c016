// Every operation of HTTP over a pair in memory, whatever fails below; over real sockets: test/interop.
import { assertNoneUnhandled } from "../support/unhandled.ts";
import { everyHttpOperation } from "./support/http-operations.ts";

assertNoneUnhandled();

everyHttpOperation([
  async ({ pair }) => pair(),
  // In small pieces.
  async ({ pair }) => pair({ maxRead: 20, maxWrite: 20 }),
]);
