import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer, lowestLayer, PrefixedStream, ServalError, type Role } from "../../src/core/index.ts";
import { pair } from "../../src/testing/index.ts";
import {
  read,
  readOutcome,
  readToEnd,
  shutdown,
  teardown,
  turns,
  watch,
  write,
  writeAll,
} from "./support/stream-operations.ts";

const prefix = Buffer.from("prefix,");
const never = (): void => assert.fail("called");
const pending = (error: unknown): boolean => error instanceof ServalError && error.code === "core.operation_pending";

describe("PrefixedStream", () => {
  it("delivers the prefix, then the next layer's bytes", async () => {
    const [next, peer] = pair({ maxRead: 1 });
    const stream = new PrefixedStream(next, prefix);
    await writeAll(peer, Buffer.from("and the rest"));
    peer.end();
    assert.equal(String(await read(stream)), "prefix,");
    assert.equal(String(await readToEnd(stream)), "and the rest");
    assert.equal(await read(stream), undefined);
  });

  it("copies the prefix, so that its buffer can be reused", async () => {
    const [next] = pair();
    const buffer = new FlatBuffer();
    buffer.append(prefix);
    const stream = new PrefixedStream(next, buffer.data());
    buffer.data().fill(0);
    buffer.clear();
    assert.deepEqual(await read(stream), prefix);
  });

  it("has the next read started inside the handler", async () => {
    const [next, peer] = pair();
    const stream = new PrefixedStream(next, prefix);
    const both = new Promise<string>((resolve) => {
      stream.readSome((_error, first) => {
        const text = String(Buffer.from(first!));
        stream.readSome((_failure, second) => resolve(text + String(Buffer.from(second!))));
      });
    });
    await writeAll(peer, Buffer.from("next"));
    assert.equal(await both, "prefix,next");
  });

  it("does not read the next layer before the prefix was read", async () => {
    const [next] = pair();
    const stream = new PrefixedStream(next, prefix);
    await read(stream);
    await turns(2);
    assert.equal(next.reading, false);
    assert.equal(next.operations, 0);
  });

  it("passes calls on once the prefix is used up, with the same handler", async () => {
    const [next] = pair();
    const handlers: unknown[] = [];
    next.readSome = (handler) => void handlers.push(handler);
    const stream = new PrefixedStream(next, prefix);
    await read(stream);
    stream.readSome(never);
    assert.deepEqual(handlers, [never]);
  });

  it("writes while it has a prefix", async () => {
    const [next, peer] = pair();
    const stream = new PrefixedStream(next, prefix);
    assert.equal(await write(stream, [Buffer.from("a"), Buffer.from("b")]), 2);
    assert.equal(String(await read(peer)), "ab");
    assert.deepEqual(await read(stream), prefix);
  });

  it("refuses a second read and a watch while a read waits for the prefix", async () => {
    const [next] = pair();
    const stream = new PrefixedStream(next, prefix);
    const first = read(stream);
    assert.throws(() => stream.readSome(never), pending);
    assert.throws(() => stream.watch(never), pending);
    assert.deepEqual(await first, prefix);
  });

  for (const role of ["server", "client"] satisfies Role[]) {
    it(`drops the prefix in a teardown as the ${role}`, async () => {
      const [next, peer] = pair();
      const stream = new PrefixedStream(next, prefix);
      const torn = teardown(stream, role);
      assert.throws(() => stream.readSome(never), pending);
      peer.end();
      assert.equal(await torn, undefined);
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    });
  }

  it("keeps the prefix while the next layer is watched, and reports its end", async () => {
    const [next, peer] = pair();
    const stream = new PrefixedStream(next, prefix);
    const watched = watch(stream);
    peer.end();
    assert.equal(await watched, undefined);
    assert.deepEqual(await read(stream), prefix);
    assert.equal(await read(stream), undefined);
  });

  it("ends a watch at the read of the prefix, and lets another start after it", async () => {
    const [next, peer] = pair();
    const stream = new PrefixedStream(next, prefix);
    stream.watch(never);
    assert.deepEqual(await read(stream), prefix);
    peer.end();
    await turns();
    assert.equal(await watch(stream), undefined);
  });

  it("keeps the prefix after a shutdown, and after one that was refused", async () => {
    const [next, peer] = pair();
    const stream = new PrefixedStream(next, prefix);
    const writing = write(stream, Buffer.from("a"));
    assert.throws(() => stream.shutdown(never), pending);
    await read(peer);
    await writing;
    assert.equal(await shutdown(stream), undefined);
    assert.deepEqual(await read(stream), prefix);
  });

  it("aborts a read that waits for the prefix when it is closed, and all later ones", async () => {
    const [next] = pair();
    const stream = new PrefixedStream(next, prefix);
    const reading = readOutcome(stream);
    stream.close();
    stream.close();
    assert.throws(() => stream.readSome(never), pending);
    assert.equal((await reading).error?.code, "core.aborted");
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    assert.ok(next.closed);
  });

  it("delivers nothing of a prefix that was not read before the close", async () => {
    const [next] = pair();
    const stream = new PrefixedStream(next, prefix);
    stream.close();
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
  });

  it("passes up the next layer's peer, or has its own", () => {
    const [next] = pair();
    const below = { address: "192.0.2.1", port: 1, family: "IPv4" } as const;
    Object.defineProperty(next, "peer", { value: below });
    assert.equal(new PrefixedStream(next, prefix).peer, below);
    const peer = { address: "192.0.2.2", port: 2, family: "IPv4" } as const;
    const stream = new PrefixedStream(next, prefix, { peer });
    assert.equal(stream.peer, peer);
    assert.equal(stream.nextLayer, next);
    assert.equal(lowestLayer(stream), next);
  });
});
