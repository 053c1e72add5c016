import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError } from "../../src/core/index.ts";
import { TransportStream } from "../../src/core/transport-stream.ts";

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
  protected override destroy(): void {
    this.verbs.push("destroy");
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

  it("tells of a write that was taken inside the call afterwards, once", async () => {
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

  it("fails what a verb throws in", async () => {
    const puppet = new Puppet();
    puppet.onPush = () => {
      throw new Error("the transport's own");
    };
    const code = await new Promise((resolve) => puppet.writeSome(bytes, (error) => resolve(error?.code)));
    assert.equal(code, "core.transport");
  });

  it("delivers what came before a failure or the end first", async () => {
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

  it("ignores what is reported after the close", async () => {
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

  it("goes on delivering to a teardown that a read's handler has started", async () => {
    const puppet = new Puppet();
    const ends: unknown[] = [];
    puppet.readSome(() => puppet.teardown("server", (error) => ends.push(error)));
    puppet.reports.deliver(bytes);
    assert.deepEqual(puppet.verbs, ["pull", "finish", "pull"]);
    puppet.reports.deliver(bytes);
    puppet.reports.readEnded();
    puppet.reports.writeEnded();
    await turn();
    assert.deepEqual([ends, puppet.verbs.includes("idle")], [[undefined], false]);
  });

  it("tears down in the role's order: a server ends first, a client when the peer has", async () => {
    for (const [role, before, after] of [
      ["server", ["finish", "pull"], []],
      ["client", ["pull"], ["finish"]],
    ] as const) {
      const puppet = new Puppet();
      const seen: unknown[] = [];
      puppet.teardown(role, (error) => seen.push(error));
      assert.deepEqual(puppet.verbs.splice(0), before);
      puppet.reports.readEnded();
      assert.deepEqual(puppet.verbs.splice(0), after);
      await turn();
      assert.deepEqual(seen, []);
      puppet.reports.writeEnded();
      await turn();
      assert.deepEqual([seen, puppet.verbs], [[undefined], ["destroy"]]);
    }
  });
});
