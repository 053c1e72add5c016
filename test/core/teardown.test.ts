import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError, teardown as tearDown, type Role } from "../../src/core/index.ts";
import { everyFailure, pair } from "../../src/testing/index.ts";
import { ForeignStream, Seen, within } from "../contexts/support/contexts.ts";
import { outcomes } from "../support/outcomes.ts";
import { read, teardown, turns, write, writeAll } from "./support/stream-operations.ts";

// What holds for every stream stands in the shared suite.

const roles = ["server", "client"] satisfies Role[];
const pending = (error: unknown): boolean => error instanceof ServalError && error.code === "core.operation_pending";
const never = (): void => assert.fail("called");

describe("teardown", () => {
  it("reads while the server's shutdown is under way, since the peer may not take that before", async () => {
    const [stream, peer] = pair({ capacity: 1000 });
    const writing = writeAll(peer, new Uint8Array(100_000)).then(() => peer.end());
    assert.equal(await teardown(stream, "server"), undefined);
    await writing;
  });

  for (const role of roles) {
    it(`as the ${role} closes, then completes once, whatever fails below`, async () => {
      const runs = await everyFailure(async (run) => {
        const [stream, peer] = run.pair({ maxRead: 1 }, {});
        await write(peer, Buffer.from("ab"));
        peer.end();
        const [error] = await run.once<[error: ServalError | undefined]>((done) => tearDown(stream, role, done));
        assert.ok(outcomes(run, undefined).includes(error?.code), error?.code);
        assert.ok(stream.closed);
      });
      assert.ok(runs.length > 15, runs.join());
    });

    it(`as the ${role} throws while a read is in flight, which goes on`, async () => {
      const [stream, peer] = pair();
      const reading = read(stream);
      assert.throws(() => tearDown(stream, role, never), pending);
      await write(peer, Buffer.from("a"));
      assert.equal(String(await reading), "a");
      assert.equal(stream.closed, false);
      stream.close();
      await turns(3);
    });
  }

  it("as the server throws while a write is in flight, and has done nothing", async () => {
    const [stream, peer] = pair();
    const writing = write(stream, Buffer.from("a"));
    assert.throws(() => tearDown(stream, "server", never), pending);
    assert.equal(await writing, 1);
    await writeAll(stream, Buffer.from("b"));
    await writeAll(peer, Buffer.from("c"));
    assert.equal(String(await read(stream)), "c");
  });

  it("as the client completes with the misuse where a write is in flight at the peer's end", async () => {
    const [stream, peer] = pair({}, { capacity: 1 });
    await writeAll(stream, Buffer.from("a"));
    const writing = write(stream, Buffer.from("b"));
    const torn = teardown(stream, "client");
    peer.end();
    assert.equal((await torn)?.code, "core.operation_pending");
    await assert.rejects(writing, (error) => error instanceof ServalError && error.code === "core.aborted");
  });

  it("asks the stream and completes in the async context of its caller", async () => {
    for (const role of roles) {
      const [stream, peer] = pair();
      const foreign = new ForeignStream(stream);
      const seen = new Seen();
      within("caller", () => tearDown(foreign, role, seen.noting("done")));
      await writeAll(peer, new Uint8Array(10));
      await turns(3);
      within("peer", () => peer.end());
      await turns(10);
      assert.deepEqual([seen.calls, foreign.requests.calls], [["done: caller"], ["request: caller"]]);
    }
  });
});
