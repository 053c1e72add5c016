import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordingStream } from "../../../src/cli/inspect/recording-stream.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { pattern, readExactly, teardown, writeAll } from "../../core/support/stream-operations.ts";

function recording(options?: PairOptions): Connection {
  const [next, peer] = pair(options);
  return { stream: new RecordingStream(next), peer, endPeer: () => peer.end(), reset: () => peer.reset() };
}

byteStreamSuite("RecordingStream", () => recording());
byteStreamSuite("RecordingStream in small parts", () => recording({ maxRead: 997, maxWrite: 1009 }));

describe("RecordingStream", () => {
  it("records the bytes exchanged, and no more than was taken", async () => {
    const [next, peer] = pair({ maxRead: 2, maxWrite: 3 });
    const stream = new RecordingStream(next);
    await Promise.all([writeAll(stream, Buffer.from("request")), readExactly(peer, 7)]);
    await Promise.all([writeAll(peer, Buffer.from("response")), readExactly(stream, 8)]);
    assert.deepEqual([String(stream.sent), String(stream.received)], ["request", "response"]);
    stream.stop();
    await Promise.all([writeAll(stream, Buffer.from("more")), readExactly(peer, 4)]);
    assert.equal(String(stream.sent), "request");
    assert.equal(stream.nextLayer, next);
    peer.end();
    assert.equal(await teardown(stream, "client"), undefined);
  });

  it("keeps no copy of bytes that were offered and not taken", async () => {
    const [next, peer] = pair({ maxWrite: 1000 });
    const stream = new RecordingStream(next);
    const offered = pattern(1_000_000);
    const before = process.memoryUsage().arrayBuffers;
    const [, received] = await Promise.all([writeAll(stream, offered), readExactly(peer, offered.length)]);
    const kept = process.memoryUsage().arrayBuffers - before;
    assert.ok(received.equals(offered) && stream.sent.equals(offered));
    // Copies of all that was offered to each of the thousand writes would be 500 MB.
    assert.ok(kept < 50_000_000, `${kept} bytes`);
  });
});
