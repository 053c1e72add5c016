import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { FinalResponseParser, readResponse } from "../../../src/http/index.ts";
import { readRefusal } from "../../../src/http/operations/read-refusal.ts";
import { everyFailure, pair, VirtualClock, type PairStream } from "../../../src/testing/index.ts";
import { isStuck, turns, writeAll } from "../../core/support/stream-operations.ts";

const head = "HTTP/1.1 403 Forbidden\r\n";

/** Reads a response's head from these bytes, then its body as that of a refusal. */
async function refusing(
  bytes: string,
  { clock = new VirtualClock(), signal }: { clock?: VirtualClock; signal?: AbortSignal } = {},
): Promise<{ read: Promise<[body: string, isCut: boolean]>; ours: PairStream; clock: VirtualClock }> {
  const [ours, peer] = pair({ capacity: Infinity });
  writeAll(peer, Buffer.from(bytes)).catch(() => {});
  const buffer = new FlatBuffer();
  const parser = new FinalResponseParser({ maxBodySize: 0 });
  await readResponse(ours, buffer, parser);
  const read = new Promise<void>((resolve) => readRefusal(ours, buffer, parser, { clock, signal }, resolve));
  return {
    read: read.then(() => [decodeLatin1(parser.response!.body), parser.isCut]),
    ours,
    clock,
  };
}

describe("readRefusal", () => {
  it("reads a body that comes whole, and leaves no timer", async () => {
    for (const bytes of [
      `${head}Content-Length: 5\r\n\r\nhello`,
      `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ]) {
      const { read, clock } = await refusing(bytes);
      assert.deepEqual(await read, ["hello", false]);
      assert.equal(clock.pending, 0);
    }
    const { read } = await refusing(`${head}Content-Length: 0\r\n\r\n`);
    assert.deepEqual(await read, ["", false]);
  });

  it("cuts it after a second, at 65,536 bytes, or where it is malformed", async () => {
    const late = await refusing(`${head}Content-Length: 50\r\n\r\nhello`);
    await late.clock.advance(999);
    assert.ok(await isStuck(late.read));
    await late.clock.advance(1);
    assert.deepEqual(await late.read, ["hello", true]);

    const large = await refusing(`${head}\r\n${"x".repeat(100_000)}`);
    assert.deepEqual(await large.read, ["x".repeat(65_536), true]);
    const wrong = await refusing(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX`);
    assert.deepEqual(await wrong.read, ["hello", true]);
    assert.deepEqual(
      [late, large, wrong].map(({ clock }) => clock.pending),
      [0, 0, 0],
    );
  });

  it("does not wait for that of a redirect", async () => {
    const found = "HTTP/1.1 302 Found\r\nLocation: /there\r\n";
    const { read, clock } = await refusing(`${found}\r\nhello`);
    assert.equal(clock.pending, 0);
    assert.deepEqual(await read, ["hello", true]);
    assert.deepEqual(await (await refusing(`${found}Content-Length: 5\r\n\r\nhello`)).read, ["hello", false]);
    const wrong = await refusing(`${found}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX`);
    assert.deepEqual(await wrong.read, ["hello", true]);
    // Without a Location it is a refusal like any other.
    const lost = await refusing("HTTP/1.1 302 Found\r\n\r\nhello");
    assert.ok(await isStuck(lost.read));
  });

  it("ends with the signal", async () => {
    const controller = new AbortController();
    const { read, ours, clock } = await refusing(`${head}\r\nhello`, { signal: controller.signal });
    await turns();
    controller.abort();
    assert.deepEqual(await read, ["hello", true]);
    assert.deepEqual([ours.closed, clock.pending], [true, 0]);
  });

  it("calls back once, and leaves no timer, whatever fails below", async () => {
    await everyFailure(async (run) => {
      const [ours, peer] = pair({ maxRead: 2 });
      const stream = run.wrap(ours);
      const parser = new FinalResponseParser({ maxBodySize: 0 });
      parser.put(Buffer.from(`${head}Content-Length: 5\r\n\r\n`));
      writeAll(peer, Buffer.from("hello")).catch(() => {});
      let calls = 0;
      await new Promise<void>((resolve) =>
        readRefusal(stream, new FlatBuffer(), parser, run, () => resolve(void calls++)),
      );
      await turns();
      assert.ok("hello".startsWith(decodeLatin1(parser.response!.body)));
      assert.deepEqual([calls, run.clock.pending], [1, 0]);
      stream.close();
    });
  });

  it("throws if the stream is read elsewhere, and leaves no timer", () => {
    const [stream] = pair();
    const clock = new VirtualClock();
    const parser = new FinalResponseParser({ maxBodySize: 0 });
    parser.put(Buffer.from(`${head}\r\n`));
    stream.readSome(() => {});
    assert.throws(() => readRefusal(stream, new FlatBuffer(), parser, { clock }, () => assert.fail("called")), {
      code: "core.operation_pending",
    });
    assert.equal(clock.pending, 0);
  });
});
