import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync, constants } from "node:zlib";
import { Assembly, type FramePayload } from "../../../src/websocket/protocol/assembly.ts";
import { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc } from "../../support/property.ts";

/** A frame whose bytes come as they are pushed. */
class Frame implements FramePayload {
  left: number;
  readonly isFinal: boolean;
  cost = 0;
  copied = 0;
  #come: Uint8Array = new Uint8Array(0);

  constructor(size: number, isFinal: boolean) {
    this.left = size;
    this.isFinal = isFinal;
  }

  push(bytes: Uint8Array): void {
    this.#come = concat(this.#come, bytes);
  }

  get available(): number {
    return this.#come.length;
  }

  peek(count: number): Uint8Array {
    return this.#come.subarray(0, count);
  }

  copy(count: number): Uint8Array {
    return this.#come.slice(0, count);
  }

  copyInto(target: Uint8Array, at: number, count: number): void {
    target.set(this.#come.subarray(0, count), at);
  }

  consume(count: number): void {
    this.left -= count;
    this.#come = this.#come.slice(count);
  }

  countCopied(count: number): void {
    this.copied += count;
  }
}

const inflater = (): Inflater => new Inflater({ windowBits: 15, takeover: false });
const deflated = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4));

/** Takes parts until more bytes are needed, or the message has ended. */
function partsOf(assembly: Assembly, frame: Frame): Uint8Array[] {
  const parts: Uint8Array[] = [];
  do {
    if (frame.available === 0 && !assembly.hasMore && !assembly.hasGathered && frame.left > 0) break;
    const taken = assembly.takePart(frame);
    assert.ok(typeof taken === "boolean", `failed with ${taken}`);
    if (!taken) break;
    parts.push(assembly.part);
  } while (!assembly.isLast && (assembly.hasMore || frame.available > 0));
  return parts;
}

describe("Assembly", () => {
  const cut = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { minLength: 1, maxLength: 8 });

  it("any frames, gathered and in parts in turn, come out whole and in order", () => {
    fc.assert(
      fc.property(cut, (frames) => {
        const assembly = new Assembly(false, false, { maxMessageSize: Infinity }, undefined);
        const parts: Uint8Array[] = [];
        for (const [i, [bytes, inParts]] of frames.entries()) {
          const frame = new Frame(bytes.length, i === frames.length - 1);
          frame.push(bytes);
          if (inParts || frame.isFinal) parts.push(...partsOf(assembly, frame));
          else assert.equal(assembly.gather(frame), undefined);
        }
        assert.deepEqual(concat(...parts), concat(...frames.map(([bytes]) => bytes)));
        assert.deepEqual([assembly.isLast, assembly.size], [true, concat(...frames.map(([bytes]) => bytes)).length]);
      }),
    );
  });

  it("a gathered message is taken whole, and is never part of a larger block", () => {
    const assembly = new Assembly(true, false, { maxMessageSize: Infinity }, undefined);
    for (const piece of ["né", "€", ""]) {
      const frame = new Frame(utf8(piece).length, false);
      frame.push(utf8(piece));
      assert.equal(assembly.gather(frame), undefined);
    }
    const whole = assembly.takeWhole();
    assert.ok(typeof whole !== "string");
    const bytes = whole.take();
    assert.deepEqual([bytes, bytes.buffer.byteLength], [utf8("né€"), utf8("né€").length]);
  });

  it("RFC 6455 8.1: text is refused at the first bad byte, and at an end inside a character", () => {
    for (const way of ["gather", "takePart"] as const) {
      const bad = new Assembly(true, false, { maxMessageSize: Infinity }, undefined);
      const frame = new Frame(3, false);
      frame.push(Uint8Array.of(0x61, 0xff, 0x61));
      assert.equal(bad[way](frame), "websocket.bad_frame_payload");
    }
    const short = new Assembly(true, false, { maxMessageSize: Infinity }, undefined);
    const last = new Frame(1, true);
    last.push(Uint8Array.of(0xc3));
    assert.equal(short.takePart(last), "websocket.bad_frame_payload");
    const gathered = new Assembly(true, false, { maxMessageSize: Infinity }, undefined);
    const again = new Frame(1, true);
    again.push(Uint8Array.of(0xc3));
    assert.equal(gathered.gather(again), undefined);
    assert.equal(gathered.takeWhole(), "websocket.bad_frame_payload");
  });

  it("RFC 7692 7.2.2: inflated parts are of limited size, however few bytes they come from, and count on both sides", () => {
    const message = new Uint8Array(1_000_000).fill(7);
    const payload = deflated(message);
    const assembly = new Assembly(false, true, { maxMessageSize: Infinity }, inflater());
    const frame = new Frame(payload.length, true);
    const parts: Uint8Array[] = [];
    for (const byte of payload) {
      frame.push(Uint8Array.of(byte));
      parts.push(...partsOf(assembly, frame));
    }
    assert.ok(parts.every((part) => part.length <= 64 * 1024 && part.buffer.byteLength === part.length));
    assert.deepEqual(concat(...parts), message);
    assert.deepEqual([assembly.deflated, assembly.inflated, assembly.isLast], [payload.length, message.length, true]);
  });

  it("RFC 7692 7.2.2: a compressed message that was gathered goes on in parts", () => {
    const message = utf8("what begins as one goes on as the other ".repeat(50));
    const payload = deflated(message);
    for (let at = 1; at < payload.length; at++) {
      const assembly = new Assembly(true, true, { maxMessageSize: Infinity }, inflater());
      const first = new Frame(at, false);
      first.push(payload.subarray(0, at));
      assert.equal(assembly.gather(first), undefined);
      const second = new Frame(payload.length - at, true);
      second.push(payload.subarray(at));
      assert.deepEqual(concat(...partsOf(assembly, second)), message, `gathered ${at}`);
    }
  });

  it("a message that inflates beyond the limit fails at it, and data that is no DEFLATE fails", () => {
    const bomb = new Assembly(false, true, { maxMessageSize: 100_000 }, inflater());
    const payload = deflated(new Uint8Array(10_000_000));
    const frame = new Frame(payload.length, true);
    frame.push(payload);
    assert.equal(bomb.takePart(frame), true);
    assert.equal(bomb.takePart(frame), "websocket.message_too_big");
    const corrupt = new Assembly(false, true, { maxMessageSize: Infinity }, inflater());
    const other = new Frame(4, true);
    other.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    assert.equal(corrupt.takePart(other), "websocket.bad_deflate_data");
  });

  it("drops gathered data", () => {
    const assembly = new Assembly(false, false, { maxMessageSize: Infinity }, undefined);
    const frame = new Frame(3, false);
    frame.push(utf8("abc"));
    assembly.gather(frame);
    assembly.drop();
    assert.equal(assembly.hasGathered, false);
  });
});
