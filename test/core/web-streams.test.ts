import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromWebStreams, ServalError } from "../../src/core/index.ts";
import { read, readOutcome, teardown, turns, write, writeOutcome } from "./support/stream-operations.ts";

const hello = Buffer.from("hello");

/** A readable of these chunks, and the writable that is given. */
function over(chunks: unknown[], sink: UnderlyingSink<Uint8Array> = {}) {
  const readable = new ReadableStream<never>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as never);
      controller.close();
    },
  });
  return { readable, writable: new WritableStream<Uint8Array>(sink) };
}

/** What the type of a sink is called without the DOM's types. */
type UnderlyingSink<Chunk> = NonNullable<ConstructorParameters<typeof WritableStream<Chunk>>[0]>;

function isInvalid(error: unknown): boolean {
  return error instanceof ServalError && error.code === "core.invalid_argument";
}

describe("fromWebStreams", () => {
  it("refuses streams that are locked, and locks neither", () => {
    const readable = over([]);
    readable.readable.getReader();
    assert.throws(() => fromWebStreams(readable), isInvalid);
    assert.equal(readable.writable.locked, false);
    const writable = over([]);
    writable.writable.getWriter();
    assert.throws(() => fromWebStreams(writable), isInvalid);
    assert.equal(writable.readable.locked, false);
  });

  it("skips empty chunks, and takes every kind of view", async () => {
    const memory = Uint8Array.of(1, 2, 3, 4);
    const chunks = [new Uint8Array(0), memory, new Uint8Array(0), new DataView(memory.buffer, 1, 2), memory.buffer];
    const stream = fromWebStreams(over(chunks));
    assert.deepEqual([...(await read(stream))!], [1, 2, 3, 4]);
    assert.deepEqual([...(await read(stream))!], [2, 3]);
    assert.deepEqual([...(await read(stream))!], [1, 2, 3, 4]);
    assert.equal(await read(stream), undefined);
  });

  it("fails clearly on a chunk that is not bytes", async () => {
    for (const chunk of ["text", 7, null, { length: 1 }]) {
      const stream = fromWebStreams(over([chunk]));
      const { error } = await readOutcome(stream);
      assert.equal(error?.code, "core.invalid_argument");
      assert.match(error.message, /must carry bytes/);
      stream.close();
    }
  });

  it("copies what it writes, since a sink may keep it", async () => {
    const kept: Uint8Array[] = [];
    const stream = fromWebStreams(over([], { write: (chunk) => void kept.push(chunk) }));
    const bytes = Buffer.from(hello);
    assert.equal(await write(stream, [bytes, bytes]), 10);
    assert.equal(await write(stream, bytes), 5);
    bytes.fill(0);
    assert.deepEqual(
      kept.map((chunk) => String(Buffer.from(chunk))),
      ["hellohello", "hello"],
    );
    stream.close();
  });

  it("asks for one chunk at a time, and for none before a read", async () => {
    let pulls = 0;
    const readable = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls++;
          controller.enqueue(Uint8Array.of(pulls));
        },
      },
      { highWaterMark: 0 },
    );
    const stream = fromWebStreams({ readable, writable: new WritableStream() });
    await turns();
    assert.equal(pulls, 0);
    assert.deepEqual([...(await read(stream))!], [1]);
    await turns();
    assert.equal(pulls, 1);
    stream.close();
  });

  it("has the streams' own errors as causes", async () => {
    const cause = new Error("broken");
    const failing = {
      readable: new ReadableStream({ start: (controller) => controller.error(cause) }),
      writable: new WritableStream(),
    };
    const stream = fromWebStreams(failing);
    await turns();
    const { error } = await readOutcome(stream);
    assert.equal(error?.code, "core.transport");
    assert.equal(error.cause, cause);
    stream.close();

    const sink = fromWebStreams(over([], { write: () => Promise.reject(cause) }));
    assert.equal((await writeOutcome(sink, hello)).error?.cause, cause);
    sink.close();
  });

  it("leaves no unhandled rejection when everything fails, at any time", async () => {
    const fail = (): Promise<never> => Promise.reject(new Error("broken"));
    for (const operate of [
      () => {},
      (stream: ReturnType<typeof fromWebStreams>) => stream.readSome(() => {}),
      (stream: ReturnType<typeof fromWebStreams>) => stream.writeSome(hello, () => {}),
      (stream: ReturnType<typeof fromWebStreams>) => stream.shutdown(() => {}),
      (stream: ReturnType<typeof fromWebStreams>) => stream.watch(() => {}),
    ]) {
      for (const wait of [0, 3]) {
        const stream = fromWebStreams({
          readable: new ReadableStream<Uint8Array>({ pull: fail, cancel: fail }),
          writable: new WritableStream<Uint8Array>({ write: fail, close: fail, abort: fail }),
        });
        operate(stream);
        await turns(wait);
        stream.close();
        await turns(3);
      }
    }
  });

  it("delivers what the sink has taken, and ends the sink, at a close", async () => {
    const log: string[] = [];
    const stream = fromWebStreams(
      over([], {
        write: (chunk) => void log.push(String(Buffer.from(chunk))),
        close: () => void log.push("closed"),
        abort: () => void log.push("aborted"),
      }),
    );
    await write(stream, hello);
    stream.close();
    await turns();
    assert.deepEqual(log, ["hello", "closed"]);
  });

  it("does not wait for a stuck sink at a close", async () => {
    const aborted = new Promise<void>((resolve) => {
      const stuck = (_chunk: Uint8Array, controller: WritableStreamDefaultController): Promise<void> => {
        // Missing in the published type.
        const { signal } = controller as WritableStreamDefaultController & { signal: AbortSignal };
        signal.addEventListener("abort", () => resolve());
        return new Promise(() => {});
      };
      const stream = fromWebStreams(over([], { write: stuck }));
      stream.writeSome(hello, (error) => assert.equal(error?.code, "core.aborted"));
      setImmediate(() => stream.close());
    });
    await aborted;
  });

  it("ends the sink at a teardown", async () => {
    const log: string[] = [];
    const stream = fromWebStreams(over([hello], { close: () => void log.push("closed") }));
    assert.equal(await teardown(stream, "client"), undefined);
    assert.deepEqual(log, ["closed"]);
  });

  it("throws a handler's exception as an exception, not a rejection", async (test) => {
    const thrown = new Error("from the handler");
    const caught = new Promise<unknown>((resolve) => {
      process.setUncaughtExceptionCaptureCallback(resolve);
    });
    test.after(() => process.setUncaughtExceptionCaptureCallback(null));
    const stream = fromWebStreams(over([hello]));
    stream.readSome(() => {
      throw thrown;
    });
    assert.equal(await caught, thrown);
    assert.equal(await read(stream), undefined);
    stream.close();
  });
});
