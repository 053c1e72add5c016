import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrainOptions, DrainReport } from "../../src/server/index.ts";
import { Hub } from "../../src/server/hub.ts";
import { HubServer } from "../../src/server/hub-server.ts";

class Seen extends HubServer<unknown> {
  readonly hub = new Hub<unknown>({ timeouts: { handshake: 1234 } });
  readonly drained: (DrainOptions | undefined)[] = [];

  drain(options?: DrainOptions): Promise<DrainReport> {
    this.drained.push(options);
    return this.hub.drain(options);
  }
}

test("a hub's server shows what the hub has", () => {
  const seen = new Seen();
  assert.equal(seen.sockets, seen.hub.sockets);
  assert.deepEqual([seen.connections, seen.subscribers("topic").size, seen.publish("topic", "x")], [0, 0, 0]);
  assert.deepEqual(seen.stats(), seen.hub.statistics());
});

test("close rejects for an argument, which it would ignore, and nothing was done", async () => {
  const seen = new Seen();
  for (const wrong of [1, { timeout: 1000 }, (): void => {}]) {
    const close = seen.close.bind(seen) as (wrong: unknown) => Promise<void>;
    await assert.rejects(close(wrong), { code: "core.invalid_argument", message: /drain takes a timeout/ });
  }
  assert.deepEqual([seen.drained, seen.hub.isDraining], [[], false]);
});

test("close, and the end of await using, drain with the deadline of handshakes", async () => {
  const seen = new Seen();
  await seen.close();
  await seen[Symbol.asyncDispose]();
  assert.deepEqual(seen.drained, [{ timeout: 1234 }, { timeout: 1234 }]);
  assert.equal(seen.hub.isDraining, true);
});
