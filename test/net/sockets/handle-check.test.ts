import assert from "node:assert/strict";
import { test } from "node:test";
import { turns } from "../../core/support/stream-operations.ts";
import { handlesWork } from "../../../src/net/sockets/handle-check.ts";

test("handles work on this runtime; it is found out once, and nothing stays open", async () => {
  const first = handlesWork();
  assert.equal(handlesWork(), first);
  assert.equal(await first, true);
  // What is closed is freed at the end of a turn of the event loop.
  await turns(3);
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => /TCP|Pipe(?!Wrap$)|Timeout/.test(name)),
    [],
  );
});
