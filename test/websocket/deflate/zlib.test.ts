import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import {
  compressor,
  decompressor,
  deflateAlone,
  flush,
  hasContexts,
  hideContexts,
  liveContexts,
  type Context,
} from "../../../src/websocket/deflate/zlib.ts";
import { jsonText, noise, tail, unpacked } from "../support/deflated.ts";
import { concat } from "../support/frames.ts";

describe("contexts", () => {
  it("exist on this Node, and the check leaves none open", () => {
    const before = liveContexts();
    assert.equal(hasContexts(), true);
    assert.equal(liveContexts(), before);
    hideContexts(true);
    assert.equal(hasContexts(), false);
    hideContexts(false);
    assert.equal(hasContexts(), true);
  });

  it("do nothing once they are closed, which would end the process", () => {
    for (const context of [compressor({ windowBits: 15, level: 6, memLevel: 8 }), decompressor(15)]) {
      context.close();
      context.close();
      context.reset();
      assert.equal(context.run(flush.sync, jsonText(10), 0, 10, new Uint8Array(100), 0, 100), false);
      assert.deepEqual([context.consumed, context.produced], [0, 0]);
    }
  });

  it("report the bytes that they took and gave, and stay within the room", () => {
    const context = compressor({ windowBits: 15, level: 6, memLevel: 8 });
    const output = new Uint8Array(50).fill(0xee);
    const input = noise(100);
    assert.equal(context.run(flush.sync, input, 10, 90, output, 5, 40), true);
    assert.deepEqual([context.consumed, context.produced], [90, 40]);
    assert.ok([...output.subarray(0, 5), ...output.subarray(45)].every((byte) => byte === 0xee));
    const first = output.slice(5, 45);
    const rest = new Uint8Array(200);
    assert.equal(context.run(flush.sync, input, 100, 0, rest, 0, 200), true);
    assert.deepEqual(unpacked(concat(first, rest.subarray(0, context.produced - 4))), input.subarray(10));
    context.close();
  });
});

describe("if the platform is not as expected", () => {
  interface Handle {
    writeSync(...given: unknown[]): void;
    reset(): void;
    onerror: unknown;
  }
  interface Engine {
    _handle?: Handle | undefined;
    _writeState?: Uint32Array;
  }

  /** Whether contexts are said to work where the engines are like this. */
  async function areFoundWith(change: (engine: Engine, kind: "deflate" | "inflate") => void): Promise<boolean> {
    const { createDeflateRaw, createInflateRaw } = zlib;
    const changed =
      <Options, Result>(make: (options: Options) => Result, kind: "deflate" | "inflate") =>
      (options: Options): Result => {
        const engine = make(options);
        change(engine as Engine, kind);
        return engine;
      };
    const set = (deflate: unknown, inflate: unknown): void => {
      Object.defineProperty(zlib, "createDeflateRaw", { value: deflate, configurable: true, enumerable: true });
      Object.defineProperty(zlib, "createInflateRaw", { value: inflate, configurable: true, enumerable: true });
      syncBuiltinESMExports();
    };
    try {
      set(changed(createDeflateRaw, "deflate"), changed(createInflateRaw, "inflate"));
      const url = new URL(`../../../src/websocket/deflate/zlib.js?${++copies}`, import.meta.url);
      const copy = (await import(url.href)) as { hasContexts(): boolean; liveContexts(): number };
      const found = copy.hasContexts();
      assert.equal(copy.liveContexts(), 0);
      return found;
    } finally {
      set(createDeflateRaw, createInflateRaw);
    }
  }
  let copies = 0;

  const changes: [name: string, change: (engine: Engine, kind: "deflate" | "inflate") => void][] = [
    ["there is no handle", (engine) => delete engine._handle],
    ["there is no writeSync", (engine) => Object.assign(engine._handle!, { writeSync: undefined })],
    ["there is no reset", (engine) => Object.assign(engine._handle!, { reset: undefined })],
    ["there is no state", (engine) => Object.assign(engine, { _writeState: undefined })],
    ["the state is elsewhere", (engine) => Object.assign(engine, { _writeState: new Uint32Array(2) })],
    ["nothing is written", (engine) => Object.assign(engine._handle!, { writeSync: () => {} })],
    ["nothing is reset", (engine) => Object.assign(engine._handle!, { reset: () => {} })],
    [
      "an error throws",
      ({ _handle: handle }) =>
        Object.defineProperty(handle, "onerror", {
          set: () => {},
          get: () => () => {
            throw new Error("x");
          },
        }),
    ],
    [
      "an error is not told",
      ({ _handle: handle }) => Object.defineProperty(handle, "onerror", { set: () => {}, get: () => () => {} }),
    ],
    [
      "nothing is kept",
      ({ _handle: handle }, kind) => {
        const write = handle!.writeSync.bind(handle);
        if (kind === "deflate")
          handle!.writeSync = (...given) => {
            handle!.reset();
            write(...given);
          };
      },
    ],
    [
      "it does not stop at the end of a block",
      ({ _handle: handle }) => {
        const write = handle!.writeSync.bind(handle);
        handle!.writeSync = (mode, ...given) => write(mode === flush.block ? flush.sync : mode, ...given);
      },
    ],
  ];
  it("contexts work if nothing is changed", async () => assert.equal(await areFoundWith(() => {}), true));
  for (const [name, change] of changes) {
    it(`${name}: the documented functions are used`, async () => assert.equal(await areFoundWith(change), false));
  }
});

/** Reads a payload and its tail with windows of `bits`, byte by byte, so that no window is larger than it has to be. */
function readStrictly(context: Context, payload: Uint8Array): Uint8Array | undefined {
  const input = concat(payload, tail);
  const output = new Uint8Array(200_000);
  let from = 0;
  let at = 0;
  for (;;) {
    if (!context.run(flush.sync, input, from, input.length - from, output, at, 1)) return undefined;
    from += context.consumed;
    at += context.produced;
    if (context.produced === 0) return output.slice(0, at);
  }
}

describe("RFC 7692 7.1.2: how far back a message refers", () => {
  const texts = [
    jsonText(3000),
    concat(noise(600), noise(600), noise(600)),
    concat(noise(251), noise(251), noise(257), noise(257)),
  ];

  for (const windowBits of [8, 9, 10, 12, 14]) {
    it(`no further than a window of ${windowBits} bits, at any level, with and without takeover`, () => {
      for (let level = 0; level <= 9; level++) {
        for (const memLevel of [1, 5, 9]) {
          const writer = compressor({ windowBits, level, memLevel });
          const reader = decompressor(windowBits);
          const output = new Uint8Array(20_000);
          for (const text of [...texts, ...texts]) {
            assert.ok(writer.run(flush.sync, text, 0, text.length, output, 0, output.length));
            assert.deepEqual(readStrictly(reader, output.subarray(0, writer.produced - 4)), text);
          }
          writer.close();
          reader.close();
          const alone = deflateAlone(texts[1]!, { windowBits, level, memLevel });
          const fresh = decompressor(windowBits);
          assert.deepEqual(readStrictly(fresh, alone.subarray(0, -4)), texts[1]);
          fresh.close();
        }
      }
    });
  }

  it("the test would notice a larger distance", () => {
    for (const distance of [257, 300, 500]) {
      const text = concat(noise(distance), noise(distance).subarray(0, 50));
      const wide = deflateAlone(text, { windowBits: 10, level: 9, memLevel: 9 }).subarray(0, -4);
      const reader = decompressor(8);
      assert.equal(readStrictly(reader, wide), undefined, `${distance}`);
      reader.close();
    }
  });
});
