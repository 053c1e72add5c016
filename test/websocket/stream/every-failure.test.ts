// Every operation of a stream over a pair in memory, whatever fails below; over real sockets: test/interop.
import { inMemory } from "../support/operations.ts";
import { everyOperationAlone } from "../support/every-operation.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

everyOperationAlone(inMemory);
