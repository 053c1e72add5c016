// What holds for every operation that reads a whole message: the same for `read` and `readResponse`.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { FlatBuffer, type ByteStream, type Handler, type ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import type { OperationOptions, Request, Response } from "../../../src/http/index.ts";
import { pair, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { bytesOf } from "./samples.ts";

/** A stream that a peer has written this to. */
export function streamWith(text: string, options: PairOptions = {}): { stream: PairStream; peer: PairStream } {
  const [stream, peer] = pair(options, {});
  if (text !== "") peer.writeSome(bytesOf(text), () => {});
  return { stream, peer };
}

/** A buffer that holds this. */
export function bufferWith(text: string, maxSize = Infinity): FlatBuffer {
  const buffer = new FlatBuffer({ maxSize });
  if (text !== "") buffer.append(bytesOf(text));
  return buffer;
}

/** All that a reader would find after the message: what is left in the buffer, and then in the stream. */
export async function rest(buffer: FlatBuffer, stream: PairStream, peer: PairStream): Promise<string> {
  let text = decodeLatin1(buffer.data());
  peer.end();
  for (;;) {
    const more = await new Promise<string | undefined>((resolve, reject) => {
      stream.readSome((error, bytes) => (error === undefined ? resolve(bytes && decodeLatin1(bytes)) : reject(error)));
    });
    if (more === undefined) return text;
    text += more;
  }
}

/** Starts an operation, and checks that its handler runs once and not inside the call. */
export function once<Result>(
  start: (handler: Handler<Result>) => void,
): Promise<{ error: ServalError | undefined; result: Result | undefined }> {
  return new Promise((resolve, reject) => {
    let inside = true;
    let runs = 0;
    start((error?: ServalError, result?: Result) => {
      if (inside || ++runs > 1) reject(new Error("inside the call, or twice"));
      resolve({ error, result });
    });
    inside = false;
  });
}

type Message = Request<Uint8Array> | Response;

/** An operation that reads a message, and messages for it. */
export interface Reading<Parser, Result extends Message> {
  readonly name: string;
  readonly read: {
    (stream: ByteStream, buffer: FlatBuffer, parser: Parser, handler: Handler<Result>): void;
    (stream: ByteStream, buffer: FlatBuffer, parser: Parser, options?: OperationOptions): Promise<Result>;
    (
      stream: ByteStream,
      buffer: FlatBuffer,
      parser: Parser,
      options: OperationOptions | undefined,
      handler: Handler<Result>,
    ): void;
  };
  /** A parser for one message. */
  readonly make: (options?: { maxHeaderSize?: number }) => Parser;
  /** What is to be compared of a message, its body aside. */
  readonly say: (message: Result, parser: Parser) => string;
  /** Messages that say themselves where they end, with what `say` has to say of them, and their bodies. */
  readonly messages: readonly (readonly [name: string, text: string, says: string, body: string])[];
  /** Bytes that are refused, at the last of them. */
  readonly bad: readonly (readonly [text: string, code: string])[];
  /** What a head may begin with, to go on for ever. */
  readonly start: string;
}

/** Registers the tests of an operation that reads a message. */
export function readingSuite<Parser, Result extends Message>(reading: Reading<Parser, Result>): void {
  const { name, read, make, say, messages, bad, start } = reading;
  const [, sample, sampleSays] = messages[0]!;

  /** What has come of reading a message: an error, or all that is to be compared of it. */
  async function readOnce(
    stream: PairStream,
    buffer: FlatBuffer,
    parser: Parser = make(),
    signal?: AbortSignal,
  ): Promise<{ error: ServalError | undefined; says: string | undefined; body: string | undefined }> {
    const { error, result } = await once<Result>((handler) =>
      read(stream, buffer, parser, signal && { signal }, handler),
    );
    return { error, says: result && say(result, parser), body: result && decodeLatin1(result.body) };
  }

  describe(`${name}: a message`, () => {
    for (const [what, text, expected, body] of messages) {
      it(`with ${what} is read wherever its bytes are and however they come; what is after it stays`, async () => {
        for (const after of ["", "\x81\x02hi", text]) {
          for (const maxRead of [1, 7, Infinity]) {
            for (let inBuffer = 0; inBuffer <= text.length; inBuffer++) {
              const { stream, peer } = streamWith(text.slice(inBuffer) + after, { maxRead });
              const buffer = bufferWith(text.slice(0, inBuffer));
              assert.deepEqual(await readOnce(stream, buffer), { error: undefined, says: expected, body });
              assert.equal(stream.reading, false);
              assert.equal(await rest(buffer, stream, peer), after);
            }
          }
        }
      });

      it(`with ${what} takes no memory of the buffer when it comes in one piece`, async () => {
        const { stream } = streamWith(text);
        const buffer = new FlatBuffer();
        await read(stream, buffer, make());
        assert.equal(buffer.capacity, 0);
      });

      it(`with ${what} stays whole when the borrowed bytes are gone`, async () => {
        const { stream } = streamWith(text);
        const parser = make();
        const message = await read(stream, new FlatBuffer(), parser);
        await Promise.resolve();
        assert.deepEqual([say(message, parser), decodeLatin1(message.body)], [expected, body]);
      });
    }

    it("completes never inside the call, and leaves the stream alone where the buffer is enough", async () => {
      const { stream } = streamWith("");
      assert.equal((await readOnce(stream, bufferWith(sample))).says, sampleSays);
      assert.equal((await readOnce(stream, bufferWith(bad[0]![0]))).error?.code, bad[0]![1]);
      assert.equal(stream.operations, 0);
    });

    it("takes its handler with and without options before it", async () => {
      for (const options of [undefined, {}]) {
        const { stream } = streamWith(sample);
        const parser = make();
        const message = await new Promise<Result>((resolve) => {
          const handler: Handler<Result> = (_?: unknown, result?: Result) => resolve(result!);
          if (options === undefined) read(stream, new FlatBuffer(), parser, handler);
          else read(stream, new FlatBuffer(), parser, options, handler);
        });
        assert.equal(say(message, parser), sampleSays);
      }
    });

    it("says what it expects", async () => {
      const { stream } = streamWith("");
      const noBuffer = Buffer.alloc(10) as unknown as FlatBuffer;
      await assert.rejects(read(stream, noBuffer, make()), {
        code: "core.invalid_argument",
        message: /core.FlatBuffer/,
      });
      const signal = new AbortController() as unknown as AbortSignal;
      await assert.rejects(read(stream, new FlatBuffer(), make(), { signal }), {
        code: "core.invalid_argument",
        message: /AbortSignal/,
      });
      assert.equal(stream.operations, 0);
    });
  });

  describe(`${name} completes with an error`, () => {
    for (const [what, text] of messages) {
      it(`where the stream ends before a message with ${what}, or inside`, async () => {
        for (let at = 0; at < text.length; at++) {
          for (const inBuffer of [0, at >> 1, at]) {
            const { stream, peer } = streamWith(text.slice(inBuffer, at));
            peer.end();
            const { error, says } = await readOnce(stream, bufferWith(text.slice(0, inBuffer)));
            assert.equal(error?.code, at === 0 ? "http.end_of_stream" : "http.partial_message");
            assert.equal(says, undefined);
          }
        }
      });
    }

    it("where bytes are bad, without waiting for more", async () => {
      for (const [text, code] of bad) {
        for (let at = 0; at <= text.length; at++) {
          const { stream } = streamWith(text.slice(at), { maxRead: 2 });
          const { error, says } = await readOnce(stream, bufferWith(text.slice(0, at)));
          assert.equal(error?.code, code);
          assert.equal(says, undefined);
        }
      }
    });

    it("where the head is too large: no more is held than the limit and one read", async () => {
      const maxHeaderSize = 1000;
      for (const maxRead of [1, 999, 60_000]) {
        const buffer = new FlatBuffer();
        const { stream } = streamWith(start + "x".repeat(50_000), { maxRead });
        const { error } = await readOnce(stream, buffer, make({ maxHeaderSize }));
        assert.equal(error?.code, "http.header_limit");
        assert.ok(buffer.size < maxHeaderSize + maxRead);
        assert.ok(stream.operations <= Math.ceil(maxHeaderSize / maxRead));
      }
    });

    it("where the buffer's maxSize is too small", async () => {
      const { stream } = streamWith(sample, { maxRead: 7 });
      assert.equal((await readOnce(stream, bufferWith("", 10))).error?.code, "core.buffer_overflow");
    });

    it("also where a stream throws when it is to read on", async () => {
      const { stream } = streamWith(sample, { maxRead: 7 });
      const readSome = stream.readSome.bind(stream);
      let reads = 0;
      stream.readSome = (handler) => {
        if (++reads === 3) throw new Error("no");
        readSome(handler);
      };
      const { error } = await readOnce(stream, new FlatBuffer());
      assert.equal(error?.code, "core.transport");
      assert.match(String(error?.cause), /no$/);
    });

    it("core.aborted, wherever the signal fires, and closes the stream", async () => {
      let finished = 0;
      for (let turns = 0; turns < 300 && finished < 3; turns++) {
        for (const inBuffer of [0, 5, sample.length]) {
          const controller = new AbortController();
          const { signal } = controller;
          const { stream } = streamWith(sample.slice(inBuffer), { maxRead: 3 });
          const outcome = readOnce(stream, bufferWith(sample.slice(0, inBuffer)), make(), signal);
          let done = false;
          void outcome.then(() => (done = true));
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          if (done) finished++;
          const inTime = getEventListeners(signal, "abort").length > 0;
          controller.abort("enough");
          const { error, says } = await outcome;
          assert.equal(error?.code, inTime ? "core.aborted" : undefined);
          assert.equal(error?.cause, inTime ? "enough" : undefined);
          assert.equal(says, inTime ? undefined : sampleSays);
          assert.equal(stream.closed, inTime);
          assert.equal(getEventListeners(signal, "abort").length, 0);
        }
      }
      assert.equal(finished, 3);
    });

    it("core.aborted where the signal has fired before", async () => {
      for (const held of ["", sample]) {
        const { stream } = streamWith(sample);
        await assert.rejects(read(stream, bufferWith(held), make(), { signal: AbortSignal.abort() }), {
          code: "core.aborted",
          name: "AbortError",
        });
        assert.equal(stream.closed, true);
      }
    });

    it("core.operation_pending for a second read, without affecting the first", async () => {
      const { stream, peer } = streamWith("");
      const parser = make();
      const first = read(stream, new FlatBuffer(), parser);
      const { signal } = new AbortController();
      await assert.rejects(read(stream, new FlatBuffer(), make(), { signal }), { code: "core.operation_pending" });
      assert.throws(() => read(stream, new FlatBuffer(), make(), { signal }, assert.fail), {
        code: "core.operation_pending",
      });
      assert.equal(getEventListeners(signal, "abort").length, 0);
      peer.writeSome(bytesOf(sample), () => {});
      assert.equal(say(await first, parser), sampleSays);
    });
  });
}
