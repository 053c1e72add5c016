import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lowestLayer, type ServalError } from "../../src/core/index.ts";
import { Plan } from "../../src/testing/failure.ts";
import { pair, type FaultyStream, type PairStream } from "../../src/testing/index.ts";
import { RunState } from "../../src/testing/run.ts";
import {
  isStuck,
  read,
  readOutcome,
  readToEnd,
  shutdown,
  teardown,
  turns,
  watch,
  write,
  writeAll,
  writeOutcome,
} from "../core/support/stream-operations.ts";

const hello = Buffer.from("hello");
const bytes = Buffer.from("some bytes");

/** A stream of the run with this name, and its peer. */
function failing(name: string): { run: RunState; stream: FaultyStream; peer: PairStream } {
  const run = new RunState(Plan.parse(name), 0);
  const [stream, peer] = run.pair();
  return { run, stream, peer };
}

const codeOf = ({ error }: { error: ServalError | undefined }): string | undefined => error?.code;

describe("a faulty stream", () => {
  it("shows the layer below", () => {
    const { stream } = failing("read 1 error");
    assert.equal(lowestLayer(stream), stream.nextLayer);
    assert.equal(stream.peer, undefined);
  });

  it("fails with an error, in flight and later, while the peer sees nothing", async () => {
    const { stream, peer } = failing("write 2 error");
    const reading = readOutcome(stream);
    assert.equal(await write(stream, hello), 5);
    assert.deepEqual(stream.inFlight, ["read"]);
    assert.deepEqual(await writeOutcome(stream, hello), { error: (await reading).error, written: 0 });
    assert.equal(codeOf(await reading), "testing.failure");
    await writeAll(peer, bytes);
    assert.equal(codeOf(await readOutcome(stream)), "testing.failure");
    assert.equal((await shutdown(stream))?.code, "testing.failure");
    const heard = readToEnd(peer);
    assert.ok(await isStuck(heard));
    stream.close();
    assert.equal(String(await heard), "hello");
    assert.equal(codeOf(await readOutcome(stream)), "core.aborted");
  });

  it("is reset on both sides", async () => {
    const { stream, peer } = failing("read 1 reset");
    const heard = readOutcome(peer);
    assert.equal(codeOf(await readOutcome(stream)), "core.connection_reset");
    assert.equal(codeOf(await heard), "core.connection_reset");
    assert.equal(codeOf(await writeOutcome(stream, hello)), "core.connection_reset");
    assert.equal(stream.closed, false);
  });

  it("is reset for an operation in flight too, whatever the stream below says of it", async () => {
    const { stream } = failing("read 1 reset");
    const ending = shutdown(stream);
    assert.equal(codeOf(await readOutcome(stream)), "core.connection_reset");
    assert.equal((await ending)?.code, "core.connection_reset");
  });

  it("ends its read side repeatedly, and still writes", async () => {
    const { stream, peer } = failing("read 2 end");
    await writeAll(peer, hello);
    assert.deepEqual(await read(stream), hello);
    await writeAll(peer, hello);
    assert.equal(await read(stream), undefined);
    assert.equal(await read(stream), undefined);
    await writeAll(stream, bytes);
    assert.deepEqual(await read(peer), bytes);
    assert.equal(await teardown(stream, "client"), undefined);
    assert.ok(stream.closed);
  });

  it("fails a watch, and tells the reads after it the same", async () => {
    for (const [name, code] of [
      ["watch 1 end", undefined],
      ["watch 1 reset", "core.connection_reset"],
      ["watch 1 error", "testing.failure"],
    ] as const) {
      const { stream, peer } = failing(name);
      await writeAll(peer, hello);
      assert.equal((await watch(stream))?.code, code);
      assert.deepEqual(codeOf(await readOutcome(stream)), code);
      stream.close();
    }
  });

  it("reports another operation's failure to a watch in flight, and a read ends the watch", async () => {
    const { stream } = failing("shutdown 1 error");
    stream.watch(assert.fail);
    const reading = readOutcome(stream);
    assert.deepEqual(stream.inFlight, ["read"]);
    assert.equal((await shutdown(stream))?.code, "testing.failure");
    assert.equal(codeOf(await reading), "testing.failure");
    const other = failing("write 1 reset").stream;
    const watched = watch(other);
    await writeOutcome(other, hello);
    assert.equal((await watched)?.code, "core.connection_reset");
    for (const closing of [stream, other]) closing.close();
  });

  it("aborts while the operation is in flight, never inside the call", async () => {
    const { run, stream } = failing("read 1 abort");
    const reading = readOutcome(stream);
    assert.equal(run.signal.aborted, false);
    await undefined;
    assert.equal(run.signal.aborted, true);
    assert.deepEqual(stream.inFlight, ["read"]);
    stream.close();
    assert.equal(codeOf(await reading), "core.aborted");
  });

  it("reads one byte, and the rest with the next reads", async () => {
    const { stream, peer } = failing("read 2 short");
    await writeAll(peer, hello);
    assert.deepEqual(await read(stream), hello);
    await writeAll(peer, bytes);
    const lent: Uint8Array[] = [];
    const seen: string[] = [];
    for (let count = 0; count < 2; count++) {
      await new Promise<void>((resolve) => {
        stream.readSome((_, part) => {
          seen.push(Buffer.from(part!).toString());
          lent.push(part!);
          resolve();
        });
      });
    }
    assert.deepEqual(seen, ["s", "ome bytes"]);
    await turns(1);
    // Only lent: they are gone when the handler has returned.
    assert.ok(Buffer.concat(lent).every((byte) => byte === 0xdb));
    stream.close();
  });

  it("writes one byte, of a list too", async () => {
    const { stream, peer } = failing("write 1 short");
    assert.equal(await write(stream, [new Uint8Array(0), hello, bytes]), 1);
    assert.equal(await write(stream, hello.subarray(1)), 4);
    assert.equal(String(await read(peer)), "hello");
    stream.close();
  });

  for (const failure of ["delay", "stall"] as const) {
    it(`starts later by a ${failure}, and may be closed before that`, async () => {
      for (const closes of [false, true]) {
        const { run, stream, peer } = failing(`write 1 ${failure}`);
        const writing = writeOutcome(stream, hello);
        await undefined;
        assert.deepEqual([peer.unread, stream.inFlight], [0, ["write"]]);
        assert.throws(() => stream.writeSome(hello, assert.fail), { code: "core.operation_pending" });
        assert.throws(() => stream.shutdown(assert.fail), { code: "core.operation_pending" });
        if (closes) stream.close();
        await run.clock.advance(3_600_000);
        assert.deepEqual(await writing.then(codeOf), closes ? "core.aborted" : undefined);
        assert.deepEqual([peer.unread, run.clock.pending], [closes ? 0 : 5, 0]);
        stream.close();
      }
    });
  }

  it("refuses a handler that is no function in the call, and counts no operation", () => {
    const { run, stream } = failing("read 1 error");
    const none = new Uint8Array(10) as unknown as () => void;
    const misuse = { code: "core.invalid_argument", message: "A completion handler must be a function, not object" };
    assert.throws(() => stream.readSome(none), misuse);
    assert.throws(() => stream.watch(none), misuse);
    assert.throws(() => stream.writeSome(hello, none), misuse);
    assert.throws(() => stream.shutdown(none), misuse);
    assert.deepEqual([stream.inFlight, run.met], [[], undefined]);
  });

  it("passes misuse of the stream below on, at once or later", async () => {
    for (const name of ["read 2 error", "read 1 delay"]) {
      const run = new RunState(Plan.parse(name), 0);
      const [next] = pair();
      const stream = run.wrap(next);
      next.readSome(() => {});
      if (name.endsWith("delay")) assert.equal(codeOf(await readOutcome(stream)), "core.operation_pending");
      else assert.throws(() => stream.readSome(assert.fail), { code: "core.operation_pending" });
      assert.deepEqual(stream.inFlight, []);
      stream.close();
      await turns(2);
    }
  });
});
