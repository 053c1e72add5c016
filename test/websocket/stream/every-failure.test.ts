// Every operation of a stream, in both roles, with each operation of the transport below failing in each way.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { everyFailure, type EveryFailureOptions } from "../../../src/testing/index.ts";
import { liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import { roles } from "../support/client-kit.ts";
import { operations, Using, type Operation, type Use } from "../support/operations.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

/** Both roles, with and without compression. */
const uses = roles.flatMap((role) => [false, true].map((deflates): Use => ({ role, deflates })));

/** Does something with an open stream, whatever fails below. */
function everyRun(use: Use, operation: Operation, options?: EveryFailureOptions): Promise<readonly string[]> {
  return everyFailure(async (run) => {
    const using = new Using(run, use);
    using.open(() => {
      using.start(operation);
      using.startPromise(operations.ping!);
    });
    await using.finish(operation.causes);
  }, options);
}

before(async () => {
  // Contexts that are free stay in pools.
  for (const use of uses) {
    for (const name of ["for await", "write of frames"]) await everyRun(use, operations[name]!, { failures: [] });
  }
});

for (const use of uses) {
  describe(`as a ${use.role}${use.deflates === true ? " that compresses" : ""}, whatever fails below`, () => {
    for (const [name, operation] of Object.entries(operations)) {
      it(`${name} completes once, and nothing is left`, async () => {
        const contexts = liveContexts();
        const runs = await everyRun(use, operation);
        // Who terminates a server's stream has seen one write, of the response.
        assert.ok(runs.length >= (name === "terminate" ? 6 : 12), runs.join());
        assert.equal(liveContexts(), contexts, "a deflate context is left");
      });
    }
  });
}
