import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler, type ServalError } from "../../../src/core/index.ts";
import { Item, PartedMessage } from "../../../src/websocket/connection/item.ts";
import { SourceWriter, type MessageSource } from "../../../src/websocket/operations/source.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { fc, runs } from "../../support/property.ts";

/** What a writer makes of a source; parts wait as long as `room` is false. */
class Run {
  readonly message: PartedMessage = new PartedMessage(undefined, false);
  readonly parts: Uint8Array[] = [];
  isFinal = false;
  room = true;
  /** Whether parts that wait are items that wait for their turn, or positions. */
  items = false;
  readonly waiting: Handler[] = [];
  readonly abandoned: ServalError[] = [];
  readonly told: (ServalError | undefined)[] = [];
  readonly writer: SourceWriter;

  constructor(source: MessageSource) {
    this.message.handler = (error) => void this.told.push(error);
    this.writer = new SourceWriter(
      {
        part: (message, bytes, isLast) => {
          assert.equal(message, this.message);
          assert.equal(this.isFinal, false, "a part behind the last");
          this.parts.push(bytes.slice());
          this.isFinal = isLast;
          if (this.room || !this.items) return this.parts.length;
          const item = new Item(bytes.length);
          this.waiting.push((error) => item.handler!(error, undefined));
          return item;
        },
        hasWritten: () => this.room,
        waitWritten: (position, handler) => {
          assert.equal(position, this.parts.length);
          this.waiting.push(handler);
        },
        abandon: (message, error) => {
          assert.equal(message, this.message);
          this.abandoned.push(error);
        },
      },
      this.message,
      source,
    );
    this.writer.start();
  }

  get texts(): string[] {
    return this.parts.map((bytes) => Buffer.from(bytes).toString());
  }

  /** Text or binary, by its opcode. */
  get kind(): number | undefined {
    return this.message.code;
  }
}

async function run(source: MessageSource): Promise<Run> {
  const made = new Run(source);
  await quiet();
  return made;
}

/** An iterator that notes what is asked of it. */
function asked(next: () => unknown, end?: () => unknown): { source: MessageSource; calls: string[] } {
  const calls: string[] = [];
  const iterator = {
    next: () => {
      calls.push("next");
      return next();
    },
    return: () => {
      calls.push("return");
      return end === undefined ? { done: true, value: undefined } : end();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return { source: iterator as unknown as MessageSource, calls };
}

const never = new Promise<never>(() => {});

describe("SourceWriter", () => {
  const sources: [name: string, make: () => MessageSource, parts: string[], kind: number][] = [
    ["an array of strings", () => ["a", "b"], ["a", "b", ""], 1],
    ["a set of bytes", () => new Set([utf8("a"), utf8("b")]), ["a", "b", ""], 2],
    ["a Buffer in it", () => [Buffer.from("a")], ["a", ""], 2],
    [
      "a generator",
      function* () {
        yield "a";
        yield utf8("b");
      },
      ["a", "b", ""],
      1,
    ],
    [
      "an async generator",
      async function* () {
        await quiet();
        yield utf8("a");
        yield "b";
      },
      ["a", "b", ""],
      2,
    ],
    ["an empty one", () => [], [""], 2],
    ["empty parts, which are not sent but say the kind", () => ["", utf8("a"), "", new Uint8Array(0)], ["a", ""], 1],
    ["only empty ones", () => [new Uint8Array(0), ""], [""], 2],
  ];
  for (const [name, make, parts, kind] of sources) {
    it(`${name}: its parts in order, then the end`, async () => {
      const given = make() as MessageSource | (() => MessageSource);
      const made = await run(typeof given === "function" ? given() : given);
      await quiet();
      assert.deepEqual([made.texts, made.isFinal, made.kind], [parts, true, kind]);
      assert.deepEqual([made.told, made.abandoned], [[], []]);
    });
  }

  it("a kind that was given stays", async () => {
    const made = new Run(["a"]);
    made.message.code = 2;
    await quiet();
    assert.deepEqual([made.texts, made.kind], [["a", ""], 2]);
  });

  it("reads nothing inside the start, and each part only when there was room after the last", async () => {
    for (const items of [true, false]) {
      let count = 0;
      const { source, calls } = asked(() => ({ done: count === 3, value: `${count++}` }));
      const made = new Run(source);
      assert.equal(calls.length, 0);
      Object.assign(made, { room: false, items });
      for (let i = 1; i <= 3; i++) {
        await quiet();
        assert.deepEqual([made.parts.length, calls.length, made.waiting.length], [i, i, i]);
        made.waiting[i - 1](undefined);
      }
      await quiet();
      assert.deepEqual([made.texts, made.isFinal, calls.length], [["0", "1", "2", ""], true, 4]);
      assert.equal(calls.includes("return"), false, "a source that has ended is not told to");
    }
  });

  it("does not use a part after the source may reuse its buffer", async () => {
    const buffer = new Uint8Array(3);
    function* source(): Generator<Uint8Array> {
      for (let i = 1; i <= 3; i++) yield buffer.fill(i);
    }
    const made = await run(source());
    assert.deepEqual(concat(...made.parts), Uint8Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3));
  });
});

describe("SourceWriter: text", () => {
  it("RFC 6455 5.6: cut anywhere, also inside a surrogate pair, it leaves as the UTF-8 of the whole", async () => {
    const string = fc.string({ unit: "binary", maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(string, fc.array(fc.nat(40), { maxLength: 8 }), async (value, at) => {
        const cuts = [0, ...at.map((one) => Math.min(one, value.length)).toSorted((a, b) => a - b), value.length];
        const chunks = cuts.slice(1).map((end, i) => value.slice(cuts[i], end));
        const made = await run(chunks);
        assert.deepEqual(concat(...made.parts), utf8(value));
        assert.equal(made.isFinal, true);
      }),
      { numRuns: runs(200) },
    );
  });

  it("every split of a text of pairs, unit by unit", async () => {
    const value = "a😀😀é😀";
    for (let split = 0; split <= value.length; split++) {
      assert.deepEqual(concat(...(await run([value.slice(0, split), value.slice(split)])).parts), utf8(value));
    }
    assert.deepEqual(
      concat(...(await run(Array.from({ length: value.length }, (_, i) => value[i]))).parts),
      utf8(value),
    );
  });

  it("an unpaired surrogate becomes U+FFFD: before bytes, before other text, at the end", async () => {
    const half = "\ud83d";
    const cases: [chunks: (string | Uint8Array)[], expected: string][] = [
      [[`a${half}`, utf8("b")], "a\ufffdb"],
      [[half, "", "b"], "\ufffdb"],
      [[half, half, "\ude00"], "\ufffd😀"],
      [["a", half], "a\ufffd"],
      [["\ude00", "b"], "\ufffdb"],
    ];
    for (const [chunks, expected] of cases) {
      assert.equal((await run(chunks)).texts.join(""), expected);
    }
  });
});

describe("SourceWriter: a source that fails", () => {
  const cause = new Error("mine");
  const failures: [name: string, fail: () => unknown][] = [
    [
      "throws",
      () => {
        throw cause;
      },
    ],
    ["rejects", () => Promise.reject(cause)],
  ];
  for (const [name, fail] of failures) {
    for (const parts of [0, 1]) {
      it(`${name} after ${parts} parts: the message is abandoned, and its writer gets the cause`, async () => {
        let count = 0;
        const { source } = asked(() => (count++ < parts ? { done: false, value: "a" } : fail()));
        const made = await run(source);
        assert.deepEqual([made.parts.length, made.isFinal], [parts, false]);
        assert.deepEqual(made.told, made.abandoned);
        assert.deepEqual(
          [made.told.length, made.told[0]?.code, made.told[0]?.cause],
          [1, "websocket.source_failed", cause],
        );
      });
    }
  }

  it("even with another connection's error, since this one has not ended", async () => {
    const other = coreError("core.connection_reset");
    const { source } = asked(() => Promise.reject(other));
    const [told] = (await run(source)).told;
    assert.deepEqual([told?.code, told?.cause], ["websocket.source_failed", other]);
  });

  it("also if it is no iterator at all", async () => {
    const source = { [Symbol.asyncIterator]: () => ({}) } as unknown as MessageSource;
    const [told] = (await run(source)).told;
    assert.equal(told?.code, "websocket.source_failed");
    assert.ok(told.cause instanceof TypeError);
  });

  it("invalid parts are core.invalid_argument, and the source is stopped", async () => {
    for (const wrong of [5, null, undefined, {}, ["a"], new Blob([])]) {
      const { source, calls } = asked(() => ({ done: false, value: wrong }));
      const made = await run(source);
      assert.deepEqual([made.told[0]?.code, made.abandoned.length], ["core.invalid_argument", 1]);
      assert.deepEqual([calls, made.parts], [["next", "return"], []]);
    }
  });

  it("an exception when its iterator is made is thrown", () => {
    const source = {
      [Symbol.iterator]: () => {
        throw cause;
      },
    } as unknown as MessageSource;
    assert.throws(() => new Run(source), cause);
  });
});

describe("SourceWriter: stop", () => {
  it("stops the source once, and sends nothing more: before the start, between parts, while it waits for room", async () => {
    for (const when of ["before", "waiting"] as const) {
      const { source, calls } = asked(() => ({ done: false, value: "a" }));
      const made = new Run(source);
      made.room = false;
      if (when === "waiting") await quiet();
      made.writer.stop();
      made.writer.stop();
      for (const handler of made.waiting) handler(undefined);
      await quiet();
      assert.deepEqual(calls, when === "before" ? ["return"] : ["next", "return"]);
      assert.deepEqual([made.parts.length, made.told, made.abandoned], [when === "before" ? 0 : 1, [], []]);
    }
  });

  it("stops a source whose next never settles; a later part is dropped", async () => {
    let give!: (result: unknown) => void;
    const { source, calls } = asked(() => new Promise((resolve) => (give = resolve)));
    const made = await run(source);
    made.writer.stop();
    assert.deepEqual(calls, ["next", "return"]);
    give({ done: false, value: "late" });
    await quiet();
    assert.deepEqual([made.parts, made.told, calls.length], [[], [], 2]);
  });

  it("a later failure is ignored", async () => {
    let fail!: (error: Error) => void;
    const { source } = asked(() => new Promise((_, reject) => (fail = reject)));
    const made = await run(source);
    made.writer.stop();
    fail(new Error("late"));
    await quiet();
    assert.deepEqual([made.told, made.abandoned], [[], []]);
  });

  it("ignores the outcome of the source's return, which may be missing", async () => {
    const ends: (() => unknown)[] = [
      () => {
        throw new Error("mine");
      },
      () => Promise.reject(new Error("mine")),
      () => never,
      () => undefined,
    ];
    for (const end of ends) {
      const { source, calls } = asked(() => never, end);
      (await run(source)).writer.stop();
      await quiet();
      assert.deepEqual(calls, ["next", "return"]);
    }
    const bare = { [Symbol.asyncIterator]: () => ({ next: () => never }) } as unknown as MessageSource;
    (await run(bare)).writer.stop();
    await quiet();
  });

  it("runs a generator's finally", async () => {
    let ended = 0;
    const made = new Run(
      (function* () {
        try {
          for (;;) yield "a";
        } finally {
          ended++;
        }
      })(),
    );
    made.room = false;
    await quiet();
    made.writer.stop();
    assert.equal(ended, 1);
  });
});
