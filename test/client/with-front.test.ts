import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withFront } from "../../src/client/with-front.ts";
import { pair } from "../../src/testing/index.ts";
import { byteStreamSuite } from "../core/byte-stream-suite.ts";
import { isStuck, read, readExactly, readOutcome, teardown, writeAll } from "../core/stream-operations.ts";

byteStreamSuite("withFront, behind its front", async () => {
  const [ours, peer] = pair();
  const stream = withFront(ours, Buffer.from("front"));
  await readExactly(stream, 5);
  return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
});

describe("withFront", () => {
  it("is the stream itself where nothing is in front", () => {
    const [ours] = pair();
    assert.equal(withFront(ours, new Uint8Array(0)), ours);
  });

  it("gives its front to the first read, outside of the call, then what the stream has", async () => {
    const [ours, peer] = pair();
    const stream = withFront(ours, Buffer.from("front"));
    assert.equal(stream.nextLayer, ours);
    await writeAll(peer, Buffer.from(", behind"));
    let inside = true;
    const first = new Promise((resolve) => {
      stream.readSome((error, bytes) => {
        assert.equal(error, undefined);
        assert.equal(inside, false);
        resolve(String(Buffer.from(bytes!)));
      });
      inside = false;
    });
    assert.equal(await first, "front");
    assert.equal(String(await read(stream)), ", behind");
    peer.end();
    assert.equal(await read(stream), undefined);
  });

  it("refuses a second read and a teardown while the first one waits", async () => {
    const [ours] = pair();
    const stream = withFront(ours, Buffer.from("front"));
    const first = read(stream);
    const never = (): void => assert.fail("called");
    assert.throws(() => stream.readSome(never), { code: "core.operation_pending" });
    assert.throws(() => stream.teardown("client", never), { code: "core.operation_pending" });
    assert.equal(String(await first), "front");
    stream.close();
  });

  it("aborts the first read when it is closed, before it or during it", async () => {
    for (const before of [true, false]) {
      const [ours] = pair();
      const stream = withFront(ours, Buffer.from("front"));
      if (before) stream.close();
      const first = readOutcome(stream);
      stream.close();
      assert.equal((await first).error?.code, "core.aborted");
      assert.ok(ours.closed);
    }
  });

  it("drops its front in a teardown", async () => {
    const [ours, peer] = pair();
    const stream = withFront(ours, Buffer.from("front"));
    const torn = teardown(stream, "server");
    assert.equal(await read(peer), undefined);
    assert.ok(await isStuck(torn));
    peer.end();
    assert.equal(await torn, undefined);
  });
});
