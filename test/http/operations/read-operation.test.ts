import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer, ServalError } from "../../../src/core/index.ts";
import { ReadOperation, type Sink } from "../../../src/http/operations/read-operation.ts";
import { pair } from "../../../src/testing/index.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Messages are what comes before a full stop. */
class Sentence implements Sink<string> {
  isDone = false;
  readonly needsEof = false;
  text = "";

  put(bytes: Uint8Array): number {
    const end = bytes.indexOf(0x2e);
    if (bytes.includes(0x21)) throw new ServalError("test.bad", "protocol_violation", "An exclamation mark");
    if (end < 0) return 0;
    this.isDone = true;
    this.text = new TextDecoder().decode(bytes.subarray(0, end));
    return end + 1;
  }

  end(): void {
    throw new ServalError("test.ended", "closed", "The end");
  }

  result(): string {
    if (this.text === "useless") throw new ServalError("test.useless", "limit", "Useless");
    return this.text;
  }
}

async function reading(
  held: string,
  pieces: readonly string[],
): Promise<{ error: string | undefined; result: string; left: string; inside: boolean }> {
  const [stream, peer] = pair({ capacity: Infinity });
  const buffer = new FlatBuffer();
  buffer.append(bytesOf(held));
  const parser = new Sentence();
  let inside = true;
  const told = new Promise<{ error: ServalError | undefined; result: string; inside: boolean }>((resolve) => {
    new ReadOperation(stream, buffer, parser, (error, result) => resolve({ error, result, inside })).start(undefined);
  });
  inside = false;
  for (const piece of pieces) await new Promise((resolve) => peer.writeSome(bytesOf(piece), resolve));
  peer.end();
  const { error, ...rest } = await told;
  return { error: error?.code, ...rest, left: new TextDecoder().decode(buffer.data()) };
}

describe("ReadOperation", () => {
  it("reads the buffer first, then the stream, and leaves the bytes after the message", async () => {
    const cases: [held: string, pieces: string[], result: string, left: string][] = [
      ["whole. and more", [], "whole", " and more"],
      ["", ["whole."], "whole", ""],
      ["", ["whole. and more"], "whole", " and more"],
      ["ha", ["lf", " and half.", "x"], "half and half", ""],
      ["", ["a", "b", "c.d"], "abc", "d"],
    ];
    for (const [held, pieces, result, left] of cases) {
      assert.deepEqual(await reading(held, pieces), { error: undefined, result, left, inside: false });
    }
  });

  it("fails with an exception of the parser, the end or the result, and never inside the call", async () => {
    assert.equal((await reading("bad!", [])).error, "test.bad");
    assert.equal((await reading("", ["so", " bad!"])).error, "test.bad");
    assert.equal((await reading("ha", ["lf"])).error, "test.ended");
    const useless = await reading("useless.", []);
    assert.deepEqual([useless.error, useless.result, useless.inside], ["test.useless", undefined, false]);
  });

  it("reads nothing for a sink that is done", async () => {
    const [stream] = pair();
    const sink = new Sentence();
    sink.put(bytesOf("there."));
    const buffer = new FlatBuffer();
    const result = await new Promise((resolve) => {
      new ReadOperation(stream, buffer, sink, (_, text) => resolve(text)).start(undefined);
    });
    assert.deepEqual([result, stream.operations], ["there", 0]);
  });
});
