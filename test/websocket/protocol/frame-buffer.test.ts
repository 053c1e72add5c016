import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { finalBit, opcode, type Opcode } from "../../../src/websocket/frames/frame.ts";
import { copiedUpTo, FrameBuffer } from "../../../src/websocket/protocol/frame-buffer.ts";
import { concat, frame, utf8 } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";

const { text, binary, ping, close } = opcode;

const listed = (taken: Uint8Array | readonly Uint8Array[] | undefined): readonly Uint8Array[] =>
  taken === undefined ? [] : taken instanceof Uint8Array ? [taken] : taken;

const expected = (code: Opcode, payload: string | Uint8Array, fin = true): Uint8Array =>
  frame(code, payload, { fin, key: undefined });

/** Takes and writes everything, at most `most` bytes at a time. */
function writeAll(outgoing: FrameBuffer, most = Infinity): Uint8Array {
  const written: Uint8Array[] = [];
  for (let taken = outgoing.take(); taken !== undefined; taken = outgoing.take()) {
    const bytes = concat(...listed(taken));
    const count = Math.min(bytes.length, most);
    written.push(bytes.subarray(0, count));
    outgoing.wrote(count);
  }
  return concat(...written);
}

describe("FrameBuffer", () => {
  const sizes = [0, 1, 125, 126, 4096, copiedUpTo - 1, copiedUpTo, copiedUpTo + 1, 65_535, 65_536, 100_000];
  for (const size of sizes) {
    it(`RFC 6455 5.2: a payload of ${size} bytes, as text and as bytes`, () => {
      const value = "0123456789".repeat(size / 10 + 1).slice(0, size);
      const outgoing = new FrameBuffer("server");
      outgoing.text(finalBit | text, value);
      outgoing.bytes(binary, utf8(value));
      outgoing.bytes(finalBit | opcode.continuation, new Uint8Array(0));
      const frames = concat(expected(text, value), expected(binary, value, false), expected(opcode.continuation, ""));
      assert.equal(outgoing.bufferedAmount, frames.length);
      assert.deepEqual(writeAll(outgoing), frames);
      assert.deepEqual([outgoing.queued, outgoing.written, outgoing.bufferedAmount], [frames.length, frames.length, 0]);
    });
  }

  for (const value of ["é", "€", "😀", "\ud800", "a\udc00b", "né€😀".repeat(2000), "€".repeat(copiedUpTo / 3 + 1)]) {
    it(`RFC 6455 5.6: text leaves as UTF-8: ${JSON.stringify(value.slice(0, 12))}, ${value.length} units`, () => {
      const outgoing = new FrameBuffer("server");
      outgoing.text(finalBit | text, value);
      assert.deepEqual(writeAll(outgoing), expected(text, value));
    });
  }

  it("many small messages leave as one buffer, and nothing leaves as undefined", () => {
    const outgoing = new FrameBuffer("server");
    assert.equal(outgoing.take(), undefined);
    for (let i = 0; i < 100; i++) outgoing.text(finalBit | text, `message ${i}`);
    assert.ok(outgoing.take() instanceof Uint8Array);
  });

  it("copies small payloads at the call, and only refers to large ones", () => {
    const outgoing = new FrameBuffer("server");
    const small = new Uint8Array(copiedUpTo).fill(1);
    const large = new Uint8Array(copiedUpTo + 1).fill(2);
    outgoing.bytes(finalBit | binary, small);
    outgoing.bytes(finalBit | binary, large);
    outgoing.bytes(finalBit | ping, utf8("behind"));
    small.fill(9);
    const taken = listed(outgoing.take());
    assert.ok(taken.includes(large));
    const frames = [
      expected(binary, new Uint8Array(copiedUpTo).fill(1)),
      expected(binary, large),
      expected(ping, "behind"),
    ];
    assert.deepEqual(concat(...taken), concat(...frames));
  });

  it("bytes that a write did not take come first in the next, at every split", () => {
    const queue = (outgoing: FrameBuffer): void => {
      outgoing.text(finalBit | text, "hello");
      outgoing.bytes(finalBit | binary, new Uint8Array(copiedUpTo + 1).fill(3));
      outgoing.text(finalBit | text, "world");
    };
    const first = new FrameBuffer("server");
    queue(first);
    const all = writeAll(first);
    const edges = [1, 6, 7, 8, 10, 11, 12, all.length - 8, all.length - 7, all.length - 6, all.length - 1];
    for (const split of edges) {
      const outgoing = new FrameBuffer("server");
      queue(outgoing);
      assert.equal(concat(...listed(outgoing.take())).length, all.length);
      outgoing.wrote(split);
      assert.equal(outgoing.bufferedAmount, all.length - split);
      outgoing.text(finalBit | text, "later");
      assert.deepEqual(writeAll(outgoing), concat(all.subarray(split), expected(text, "later")), `split at ${split}`);
    }
  });

  it("blocks are given back though every write is short and more is always waiting", () => {
    const outgoing = new FrameBuffer("server");
    const message = new Uint8Array(1000);
    outgoing.bytes(finalBit | binary, message);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2000; i++) {
      outgoing.bytes(finalBit | binary, message);
      outgoing.take();
      outgoing.wrote(outgoing.bufferedAmount - 500);
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2 ** 22, `500 bytes wait, and ${grown} are held for them`);
  });

  it("a finished frame leaves without a copy if nothing waits, and is copied after waiting output", () => {
    const outgoing = new FrameBuffer("server");
    const ready = expected(binary, new Uint8Array(100).fill(1));
    outgoing.frame(ready);
    assert.equal(outgoing.take(), ready);
    outgoing.wrote(ready.length);
    outgoing.text(finalBit | text, "before");
    outgoing.frame(ready);
    const taken = outgoing.take();
    assert.deepEqual(taken, concat(expected(text, "before"), ready));
  });

  it("connections that fill blocks in turn have few pieces each, and take at most twice their bytes", () => {
    const connections = Array.from({ length: 100 }, () => new FrameBuffer("server"));
    const message = new Uint8Array(100);
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 200; round++) {
      for (const outgoing of connections) outgoing.bytes(finalBit | binary, message);
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    const waiting = connections.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0);
    assert.ok(grown < 2 * waiting, `${waiting} bytes wait, and ${grown} are held for them`);
    for (const outgoing of connections) assert.ok(listed(outgoing.take()).length <= 6);
    for (const outgoing of connections) outgoing.wrote(outgoing.bufferedAmount);
  });

  it("a small message for each of very many takes little memory", () => {
    const connections = Array.from({ length: 10_000 }, () => new FrameBuffer("server"));
    const before = process.memoryUsage().arrayBuffers;
    for (const outgoing of connections) outgoing.text(finalBit | text, "hello");
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2 ** 20, `${grown} bytes are held`);
    for (const outgoing of connections) assert.deepEqual(writeAll(outgoing), expected(text, "hello"));
  });

  it("clear drops waiting output, and output queued afterwards is whole", () => {
    const outgoing = new FrameBuffer("server");
    outgoing.text(finalBit | text, "in flight");
    const flying = listed(outgoing.take());
    outgoing.text(finalBit | text, "waiting");
    outgoing.clear();
    assert.deepEqual([outgoing.bufferedAmount, outgoing.take()], [0, undefined]);
    outgoing.bytes(finalBit | close, utf8("\x03\xe8"));
    const others = Array.from({ length: 40 }, () => new FrameBuffer("server"));
    for (const other of others) other.text(finalBit | text, "someone else's");
    assert.deepEqual(concat(...flying), expected(text, "in flight"), "a block in use was given away");
    assert.deepEqual(writeAll(outgoing), expected(close, utf8("\x03\xe8")));
  });
});

describe("FrameBuffer: several connections share the pool of blocks", () => {
  interface Step {
    connection: number;
    what: "text" | "bytes" | "frame" | "take" | "wrote" | "clear";
    size: number;
  }
  const step: fc.Arbitrary<Step> = fc.record({
    connection: fc.nat(2),
    what: fc.constantFrom("text", "bytes", "bytes", "frame", "take", "take", "wrote", "wrote", "clear"),
    size: fc.oneof(fc.nat(300), fc.constantFrom(copiedUpTo - 10, copiedUpTo, copiedUpTo + 1), fc.nat(50_000)),
  });

  it("any steps of three connections: the bytes of each leave exact and in order, and none in flight ever changes", () => {
    let fill = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const connections = [0, 1, 2].map(() => ({
          outgoing: new FrameBuffer("server"),
          sent: [] as Uint8Array[],
          received: [] as Uint8Array[],
          flight: undefined as readonly Uint8Array[] | undefined,
          snapshot: new Uint8Array(0) as Uint8Array,
        }));
        for (const { connection, what, size } of steps) {
          const one = connections[connection];
          fill = (fill + 1) & 0x7f;
          if (what === "text") {
            const value = String.fromCharCode(fill).repeat(size);
            one.outgoing.text(finalBit | text, value);
            one.sent.push(expected(text, value));
          } else if (what === "bytes") {
            const value = new Uint8Array(size).fill(fill | 0x80);
            one.outgoing.bytes(finalBit | binary, value);
            one.sent.push(expected(binary, value));
          } else if (what === "frame") {
            const value = expected(binary, new Uint8Array(size).fill(fill | 0x80));
            one.outgoing.frame(value);
            one.sent.push(value);
          } else if (what === "take" && one.flight === undefined) {
            const taken = one.outgoing.take();
            if (taken === undefined) continue;
            one.flight = listed(taken).slice();
            one.snapshot = concat(...one.flight);
          } else if (what === "wrote" && one.flight !== undefined) {
            const count = Math.min(Math.max(size, 1), one.snapshot.length);
            one.received.push(one.snapshot.slice(0, count));
            one.flight = undefined;
            one.outgoing.wrote(count);
          } else if (what === "clear" && one.flight === undefined) {
            one.outgoing.clear();
            one.sent = [concat(...one.received)];
          }
          for (const { flight, snapshot } of connections) {
            if (flight !== undefined)
              assert.ok(Buffer.compare(concat(...flight), snapshot) === 0, "bytes in flight changed");
          }
        }
        for (const { outgoing, sent, received, flight, snapshot } of connections) {
          if (flight !== undefined) {
            received.push(snapshot);
            outgoing.wrote(snapshot.length);
          }
          received.push(writeAll(outgoing, 7001));
          assert.ok(Buffer.compare(concat(...received), concat(...sent)) === 0);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});

describe("a referenced payload that is detached before it has left", () => {
  const detach = (bytes: Uint8Array): void => void structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
  const error = { code: "core.invalid_argument", message: /detached/ };

  it("is reported when it would be written", () => {
    const outgoing = new FrameBuffer("server");
    const payload = new Uint8Array(copiedUpTo + 1);
    outgoing.bytes(finalBit | binary, payload);
    detach(payload);
    assert.throws(() => outgoing.take(), error);
  });

  it("is also reported in the middle of it", () => {
    const outgoing = new FrameBuffer("server");
    const payload = new Uint8Array(copiedUpTo + 1);
    outgoing.bytes(finalBit | binary, payload);
    outgoing.take();
    detach(payload);
    outgoing.wrote(100);
    assert.throws(() => outgoing.take(), error);
  });
});

describe("FrameBuffer: masking", () => {
  const large = new Uint8Array(copiedUpTo + 1).fill(7);

  it("takes its keys from the option, one for each frame", () => {
    let next = 0;
    const outgoing = new FrameBuffer("client", { maskingKey: () => ++next });
    outgoing.text(finalBit | text, "one");
    outgoing.bytes(finalBit | binary, large);
    const key = (first: number): number[] => [first, 0, 0, 0];
    assert.deepEqual(
      writeAll(outgoing),
      concat(frame(text, "one", { key: key(1) }), frame(binary, large, { key: key(2) })),
    );
  });

  it("can be switched for a frame, in either role", () => {
    for (const role of ["client", "server"] as const) {
      const outgoing = new FrameBuffer(role, { maskingKey: () => 0x04030201 });
      const usual = role === "client" ? [1, 2, 3, 4] : undefined;
      const other = role === "client" ? undefined : [1, 2, 3, 4];
      outgoing.bytes(finalBit | ping, utf8("usual"));
      outgoing.withMask(role === "server", () => outgoing.bytes(finalBit | ping, utf8("other")));
      assert.throws(() =>
        outgoing.withMask(role === "server", () => {
          throw new Error("nothing is queued");
        }),
      );
      outgoing.bytes(finalBit | ping, utf8("usual"));
      const frames = [usual, other, usual].map((key) => frame(ping, key === usual ? "usual" : "other", { key }));
      assert.deepEqual(writeAll(outgoing), concat(...frames));
    }
  });
});
