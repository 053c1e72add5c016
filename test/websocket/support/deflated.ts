// Compressed messages made and read by node:zlib's documented functions, so that nothing tested checks itself.
import { after, before, describe } from "node:test";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import type { ThreadedDeflater } from "../../../src/websocket/deflate/deflate-later.ts";
import { hasContexts, hideContexts } from "../../../src/websocket/deflate/zlib.ts";
import { fc } from "../../support/property.ts";
import { concat, utf8 } from "./frames.ts";

/** RFC 7692 section 7.2.1: what is cut off the end of a message. */
export const tail: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** A payload, or anything else, as the RFC writes bytes. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("hex")
    .replaceAll(/..(?=.)/g, "$& ");
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** The payload of a message (section 7.2.1); with a `dictionary`, as if that had been compressed before. */
export function packed(message: Uint8Array, options: ZlibOptions = {}): Uint8Array {
  if (message.length === 0) return Uint8Array.of(0);
  return deflateRawSync(message, { ...options, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** The same, its last block with BFINAL set; without the byte that section 7.2.3.4 has behind it. */
export function packedFinal(message: Uint8Array, options: ZlibOptions = {}): Uint8Array {
  return deflateRawSync(message, options);
}

/** The message of a payload, or of several with takeover (section 7.2.2). */
export function unpacked(...payloads: Uint8Array[]): Uint8Array {
  const all = concat(...payloads.flatMap((payload) => [payload, tail]));
  return new Uint8Array(inflateRawSync(all, { finishFlush: constants.Z_SYNC_FLUSH }));
}

/** A text like no other, as applications send them. */
export function jsonText(size: number, seed = 1): Uint8Array {
  let state = seed * 2654435761;
  const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8;
  const words = "order price status active pending user name market street amount".split(" ");
  const word = (): string => words[random() % words.length]!;
  let text = "";
  while (text.length < size) {
    text += JSON.stringify({ id: random(), type: word(), user: `${word()}${random() % 997}`, price: random() / 100 });
  }
  return utf8(text.slice(0, size));
}

/** What nothing can compress. */
export function noise(size: number, seed = 1): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** Messages of every kind: empty, of one byte, texts, noise, repetitions. */
export const messages: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.tuple(fc.nat({ max: 5000 }), fc.nat()).map(([size, seed]) => jsonText(size, seed)),
  fc.tuple(fc.nat({ max: 3000 }), fc.nat()).map(([size, seed]) => noise(size, seed)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat({ max: 3000 }))
    .map(([bytes, times]) => concat(...Array.from({ length: Math.ceil(times / bytes.length) }, () => bytes))),
);

/** Bytes in pieces. */
export function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** Runs the same tests with the platform's contexts, and where it has none. */
export function describeBoth(name: string, tests: (canTakeOver: boolean) => void): void {
  for (const hidden of [false, true]) {
    describe(hidden ? `${name}, without contexts` : name, (): void => {
      // At the time of the tests, not of their definition.
      before(() => hideContexts(hidden));
      after(() => hideContexts(false));
      tests(!hidden && hasContexts());
    });
  }
}

/** A deflater that reverses the bytes, which is easy to see. It keeps in `later` what `deflateLater` was asked for. */
export function backwards(windowBits: number): ThreadedDeflater & { runs: number; later: (() => void)[] } {
  const reversed = (bytes: Uint8Array): Uint8Array => bytes.toReversed();
  const deflater = {
    windowBits,
    takeover: false,
    alike: () => deflater,
    runs: 0,
    later: [] as (() => void)[],
    deflate(bytes: Uint8Array) {
      deflater.runs++;
      return reversed(bytes);
    },
    deflateLater(bytes: Uint8Array, handler: (payload: Uint8Array) => void) {
      deflater.runs++;
      deflater.later.push(() => handler(reversed(bytes)));
    },
  };
  return deflater as unknown as ThreadedDeflater & typeof deflater;
}
