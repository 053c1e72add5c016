// Every two operations of a stream over a pair in memory, whatever fails below; over real sockets: test/interop.
import { inMemory } from "../support/operations.ts";
import { everyTwoOperations } from "../support/every-operation.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

everyTwoOperations(inMemory);
