import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { FlatBuffer, PrefixedStream, type ServalError } from "../../src/core/index.ts";
import { connect, detectTls, listen, type SocketStream } from "../../src/net/index.ts";
import { everyFailure, pair } from "../../src/testing/index.ts";
import { read, readOutcome, readToEnd, turns, until, writeAll } from "../core/support/stream-operations.ts";
import { outcomes } from "../support/outcomes.ts";
import { failsWith } from "./support/fails-with.ts";

const hello = Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 7, 7]);
const request = Buffer.from("GET / HTTP/1.1\r\n\r\n");

describe("detectTls", () => {
  for (const [bytes, isTls] of [
    [hello, true],
    [request, false],
    [hello.subarray(0, 8), false],
    [Buffer.alloc(0), false],
  ] as const) {
    for (let split = 0; split <= bytes.length; split++) {
      it(`returns ${isTls} for ${bytes.length} bytes, ${split} of them read before, and keeps them all`, async () => {
        for (const maxRead of [1, 2, Infinity]) {
          const [stream, peer] = pair({ maxRead });
          const buffer = new FlatBuffer();
          buffer.append(bytes.subarray(0, split));
          if (split < bytes.length) await writeAll(peer, bytes.subarray(split));
          peer.end();
          assert.equal(await detectTls(stream, buffer), isTls);
          assert.deepEqual(await readToEnd(new PrefixedStream(stream, buffer.data())), bytes);
          assert.equal(await read(stream), undefined);
        }
      });
    }
  }

  it("reads no more than it needs", async () => {
    const [stream, peer] = pair({ maxRead: 1 });
    await writeAll(peer, hello);
    const buffer = new FlatBuffer();
    assert.equal(await detectTls(stream, buffer), true);
    assert.equal(buffer.size, 9);
    assert.equal(stream.operations, 9);
    await turns(2);
    assert.equal(stream.reading, false);
  });

  it("calls a handler once, never inside the call, and returns undefined then", async () => {
    for (const early of [request, Buffer.alloc(0)]) {
      const [stream, peer] = pair();
      const buffer = new FlatBuffer();
      buffer.append(early);
      const outcomes: unknown[] = [];
      assert.equal(
        detectTls(stream, buffer, (error, result) => void outcomes.push([error, result])),
        undefined,
      );
      assert.deepEqual(outcomes, []);
      if (early.length === 0) await writeAll(peer, request);
      await turns(2);
      assert.deepEqual(outcomes, [[undefined, false]]);
    }
  });

  it("fails as the stream does, whatever fails below, and keeps what it has read", async () => {
    const runs = await everyFailure(async (run) => {
      const [stream, peer] = run.pair({ maxRead: 1 }, {});
      await writeAll(peer, hello);
      const buffer = new FlatBuffer();
      const [error, isTls] = await run.once<[error: ServalError | undefined, isTls: boolean]>((done) =>
        detectTls(stream, buffer, { signal: run.signal }, done),
      );
      // A stream that ends before it is clear speaks no TLS.
      assert.ok(outcomes(run, undefined).includes(error?.code), error?.code);
      assert.deepEqual(buffer.data(), new Uint8Array(hello.subarray(0, buffer.size)));
      assert.equal(isTls, error === undefined && (outcomes(run).length === 0 || buffer.size >= 9));
      stream.close();
    });
    assert.ok(runs.length > 50, runs.join());
  });

  it("fails if the buffer is too small", async () => {
    const [stream, peer] = pair();
    await writeAll(peer, hello);
    await assert.rejects(detectTls(stream, new FlatBuffer({ maxSize: 8 })), failsWith("core.buffer_overflow"));
  });

  it("is aborted by a signal, before and while it waits, and leaves no listener", async () => {
    for (const bytes of [Buffer.alloc(0), hello.subarray(0, 3), request]) {
      for (const before of [true, false]) {
        const [stream] = pair();
        const buffer = new FlatBuffer();
        buffer.append(bytes);
        const controller = new AbortController();
        if (before) controller.abort();
        const attempt = detectTls(stream, buffer, { signal: controller.signal });
        controller.abort();
        await assert.rejects(attempt, failsWith("core.aborted"));
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
        assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      }
    }
  });

  it("leaves no listener on a signal that did not fire", async () => {
    const [stream, peer] = pair();
    const controller = new AbortController();
    await writeAll(peer, request);
    assert.equal(await detectTls(stream, new FlatBuffer(), { signal: controller.signal }), false);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    controller.abort();
    assert.equal(stream.closed, false);
  });

  it("refuses misuse: a second read, an invalid signal, an invalid handler", async () => {
    const [stream] = pair();
    const buffer = new FlatBuffer();
    stream.readSome(() => {});
    assert.throws(() => detectTls(stream, buffer, () => {}), failsWith("core.operation_pending"));
    await assert.rejects(detectTls(stream, buffer), failsWith("core.operation_pending"));
    const none = {} as AbortSignal;
    await assert.rejects(detectTls(stream, buffer, { signal: none }), failsWith("core.invalid_argument"));
    assert.throws(() => detectTls(stream, buffer, {}, 1 as never), failsWith("core.invalid_argument"));
  });

  it("distinguishes Node's TLS client from other clients on sockets", async () => {
    const streams: SocketStream[] = [];
    const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => void streams.push(stream));
    const secure = tlsConnect({ port: listener.port!, host: "127.0.0.1" }).on("error", () => {});
    await until(() => streams.length === 1);
    assert.equal(await detectTls(streams[0]!, new FlatBuffer()), true);
    const plain = await connect({ port: listener.port!, host: "127.0.0.1" });
    await writeAll(plain, request);
    await until(() => streams.length === 2);
    assert.equal(await detectTls(streams[1]!, new FlatBuffer()), false);
    secure.destroy();
    plain.close();
    for (const stream of streams) stream.close();
    await listener.close();
  });

  it("refuses an invalid buffer, and unknown options", async () => {
    const [stream] = pair();
    const call = detectTls as (...given: unknown[]) => Promise<boolean>;
    await assert.rejects(call(stream), { code: "core.invalid_argument", message: /core\.FlatBuffer as its second/ });
    await assert.rejects(call(stream, new FlatBuffer(), { timeout: 1 }), { message: /has no option "timeout"/ });
    stream.close();
  });
});
