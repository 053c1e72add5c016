import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type ReadHandler, type ServalError, type WriteHandler } from "../../src/core/index.ts";
import { Receiver, TransportStream } from "../../src/core/transport-stream.ts";

// The rules of the contract are held by the shared suite, over every transport. Here is what no real one can be made to
// do at will: report from inside a verb, late, or twice.

/** A transport that does as it is told. */
class Puppet extends TransportStream {
  onPull: () => void = () => {};
  onPush: (length: number) => void = () => {};
  readonly verbs: string[] = [];

  protected override pull(): void {
    this.verbs.push("pull");
    this.onPull();
  }
  protected override idle(): void {
    this.verbs.push("idle");
  }
  protected override push(_buffers: Uint8Array | readonly Uint8Array[], length: number): void {
    this.verbs.push("push");
    this.onPush(length);
  }
  protected override finish(): void {
    this.verbs.push("finish");
  }
  protected override destroy(reset: boolean): void {
    this.verbs.push(reset ? "destroy, reset" : "destroy");
  }

  /** The reports, for a test to make. */
  readonly reports = {
    deliver: (bytes: Uint8Array): void => this.deliver(bytes),
    wrote: (count: number): void => this.wrote(count),
    readEnded: (): void => this.readEnded(),
    writeEnded: (): void => this.writeEnded(),
    failed: (): void => this.failed(coreError("core.connection_reset")),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bytes = Uint8Array.of(1, 2, 3);

describe("TransportStream", () => {
  it("holds what is delivered inside the call that asked for it, in memory of its own", async () => {
    const puppet = new Puppet();
    const lent = bytes.slice();
    puppet.onPull = () => puppet.reports.deliver(lent);
    let inside = true;
    const seen: unknown[] = [];
    puppet.readSome((error, got) => seen.push(inside, error, got && [...got]));
    inside = false;
    lent.fill(9);
    await turn();
    assert.deepEqual(seen, [false, undefined, [1, 2, 3]]);
  });

  it("tells a receiver what it would tell handlers", async () => {
    const puppet = new Puppet();
    const told: unknown[] = [];
    class Told extends Receiver {
      override onRead(error: ServalError | undefined, got: Uint8Array | undefined): void {
        told.push(["read", error?.code, got && [...got]]);
      }
      override onWritten(error: ServalError | undefined, count: number): void {
        told.push(["written", error?.code, count]);
      }
    }
    const receiver = new Told();
    const read = (): void => puppet.readSome(receiver as unknown as ReadHandler);
    const write = (): void => puppet.writeSome(bytes, receiver as unknown as WriteHandler);
    read();
    puppet.reports.deliver(bytes);
    puppet.reports.deliver(bytes);
    read();
    write();
    await turn();
    puppet.reports.wrote(2);
    puppet.reports.readEnded();
    read();
    await turn();
    read();
    write();
    puppet.reports.failed();
    await turn();
    await turn();
    puppet.close();
    read();
    write();
    await turn();
    await turn();
    assert.deepEqual(told, [
      ["read", undefined, [1, 2, 3]],
      ["read", undefined, [1, 2, 3]],
      ["written", undefined, 2],
      ["read", undefined, undefined],
      ["read", undefined, undefined],
      ["written", "core.connection_reset", 0],
      ["read", "core.aborted", undefined],
      ["written", "core.aborted", 0],
    ]);
  });

  it("reports a write that was taken inside the call afterwards, once", async () => {
    const puppet = new Puppet();
    puppet.onPush = (length) => puppet.reports.wrote(length);
    const seen: unknown[] = [];
    puppet.writeSome(bytes, (error, written) => seen.push(error, written));
    assert.deepEqual(seen, []);
    await turn();
    puppet.reports.wrote(3);
    await turn();
    assert.deepEqual(seen, [undefined, 3]);
  });

  it("fails with what a verb throws", async () => {
    const puppet = new Puppet();
    puppet.onPush = () => {
      throw new Error("the transport's own");
    };
    const code = await new Promise((resolve) => puppet.writeSome(bytes, (error) => resolve(error?.code)));
    assert.equal(code, "core.transport");
  });

  it("delivers bytes before a later failure or end", async () => {
    for (const last of ["failed", "readEnded"] as const) {
      const puppet = new Puppet();
      puppet.reports.deliver(bytes);
      puppet.reports[last]();
      const seen: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        await new Promise<void>((resolve) => {
          puppet.readSome((error, got) => {
            seen.push(error?.code ?? (got && [...got]));
            resolve();
          });
        });
      }
      assert.deepEqual(seen, [[1, 2, 3], last === "failed" ? "core.connection_reset" : undefined]);
    }
  });

  it("refuses a handler that is no function in the call, and starts nothing", () => {
    const puppet = new Puppet();
    const none = new Uint8Array(10) as unknown as () => void;
    const misuse = { code: "core.invalid_argument", message: "A completion handler must be a function, not object" };
    assert.throws(() => puppet.readSome(none), misuse);
    assert.throws(() => puppet.watch(none), misuse);
    assert.throws(() => puppet.writeSome(bytes, none), misuse);
    assert.throws(() => puppet.shutdown(none), misuse);
    assert.deepEqual(puppet.verbs, []);
    puppet.readSome(() => {});
    puppet.writeSome(bytes, () => {});
    assert.deepEqual(puppet.verbs, ["pull", "push"]);
  });

  it("ignores reports after the close", async () => {
    const puppet = new Puppet();
    const seen: unknown[] = [];
    puppet.readSome((error) => seen.push(error?.code));
    puppet.close();
    puppet.reports.deliver(bytes);
    puppet.reports.readEnded();
    puppet.reports.failed();
    await turn();
    puppet.close();
    assert.deepEqual(seen, ["core.aborted"]);
    assert.deepEqual(puppet.verbs, ["pull", "destroy"]);
  });

  it("goes on for a watch that a read's handler has started, until 16 KiB are held", async () => {
    const puppet = new Puppet();
    puppet.readSome(() => puppet.watch(() => assert.fail("called")));
    puppet.reports.deliver(bytes);
    assert.deepEqual(puppet.verbs, ["pull", "pull"]);
    const most = new Uint8Array(16 * 1024 - 1);
    puppet.reports.deliver(most);
    assert.deepEqual(puppet.verbs, ["pull", "pull", "pull"]);
    puppet.reports.deliver(bytes);
    assert.deepEqual(puppet.verbs, ["pull", "pull", "pull", "idle"]);
    let size = 0;
    puppet.readSome((_error, got) => (size = got!.length));
    await turn();
    assert.equal(size, most.length + bytes.length);
  });

  it("tells a watch of a failure and of the end while it holds bytes, which the next read gets", async () => {
    for (const last of ["failed", "readEnded"] as const) {
      const puppet = new Puppet();
      const seen: unknown[] = [];
      puppet.watch((error) => seen.push(error?.code));
      puppet.reports.deliver(bytes);
      await turn();
      assert.equal(seen.length, 0);
      puppet.reports[last]();
      await turn();
      puppet.readSome((_error, got) => seen.push(got && [...got]));
      await turn();
      assert.deepEqual(seen, [last === "failed" ? "core.connection_reset" : undefined, [1, 2, 3]]);
    }
  });

  it("asks for bytes for a watch while it holds few, and not while it holds 16 KiB", () => {
    for (const [size, verbs] of [
      [16 * 1024 - 1, ["pull"]],
      [16 * 1024, []],
    ] as const) {
      const puppet = new Puppet();
      puppet.reports.deliver(new Uint8Array(size));
      puppet.verbs.length = 0;
      puppet.watch(() => assert.fail("called"));
      assert.deepEqual(puppet.verbs, verbs);
    }
  });

  it("asks to end the write side once, and tells each shutdown", async () => {
    const puppet = new Puppet();
    const seen: unknown[] = [];
    puppet.shutdown((error) => seen.push("first", error));
    await turn();
    assert.equal(seen.length, 0);
    puppet.reports.writeEnded();
    await turn();
    puppet.shutdown((error) => seen.push("second", error));
    await turn();
    assert.deepEqual([seen, puppet.verbs], [["first", undefined, "second", undefined], ["finish"]]);
  });

  it("does not take a late report of a write for a shutdown's", async () => {
    const puppet = new Puppet();
    const seen: unknown[] = [];
    puppet.shutdown((error) => seen.push(error?.code));
    puppet.reports.wrote(3);
    puppet.reports.failed();
    await turn();
    assert.deepEqual(seen, ["core.connection_reset"]);
  });

  it("tells the transport whether it is closed or reset, once", () => {
    for (const verb of ["close", "reset"] as const) {
      const puppet = new Puppet();
      puppet[verb]();
      puppet.reset();
      puppet.close();
      assert.deepEqual(puppet.verbs, [verb === "reset" ? "destroy, reset" : "destroy"]);
    }
  });
});
