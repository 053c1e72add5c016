// Messages that are written in parts: writeHeader and writeSome, and bodies that come in parts.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { ServalError } from "../../../../src/core/index.ts";
import { decodeLatin1 } from "../../../../src/core/text.ts";
import {
  Fields,
  Request,
  Response,
  serialize,
  Serializer,
  write,
  writeHeader,
  writeSome,
  type Body,
} from "../../../../src/http/index.ts";
import { httpError } from "../../../../src/http/internal.ts";
import { everyFailure, pair, type PairStream } from "../../../../src/testing/index.ts";
import { outcomes } from "../../../support/outcomes.ts";
import { quiet } from "../../../support/quiet.ts";
import { RawPeer } from "../../../support/raw-peer.ts";
import { HandBody } from "../../support/serving.ts";

const hello = (): Response => new Response({ body: "hello" });

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array, undefined> {
  for (const text of texts) yield Buffer.from(text);
}

function sent(stream: PairStream): string {
  return decodeLatin1(stream.sent);
}

describe("writeHeader", () => {
  it("writes only the head with split, and with the body otherwise", async () => {
    for (const maxWrite of [1, 10, Infinity]) {
      const [stream] = pair({ record: true, maxWrite });
      const serializer = new Serializer(hello(), { split: true });
      await writeHeader(stream, serializer);
      assert.deepEqual([serializer.isHeaderDone, serializer.isDone], [true, false]);
      assert.ok(sent(stream).endsWith("\r\n\r\n"));
      // It is written.
      const { operations } = stream;
      await writeHeader(stream, serializer);
      assert.equal(stream.operations, operations);
      await write(stream, serializer);
      assert.deepEqual(stream.sent, serialize(hello()));
    }
    const [stream] = pair({ record: true });
    await writeHeader(stream, new Serializer(hello()));
    assert.equal(stream.operations, 1);
    assert.deepEqual(stream.sent, serialize(hello()));
  });

  it("leaves a streamed body alone, also when it fails", async () => {
    for (const failAfter of [0, 1, Infinity]) {
      const body = new HandBody();
      const [stream] = pair({ maxWrite: 10, failAfter });
      const outcome = await writeHeader(stream, new Serializer(new Response<Body>({ body }))).catch(
        (error: ServalError) => error.code,
      );
      assert.equal(outcome, failAfter === Infinity ? undefined : "testing.failure");
      assert.deepEqual([body.asked, body.stops, body.drops], [0, 0, 0]);
    }
  });

  it("is aborted by its signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const [stream] = pair({}, { capacity: 1 });
    const written = writeHeader(stream, new Serializer(hello()), { signal });
    await quiet();
    controller.abort();
    await assert.rejects(written, { code: "core.aborted" });
    assert.deepEqual([stream.closed, getEventListeners(signal, "abort").length], [true, 0]);
  });
});

describe("writeSome", () => {
  it("writes as much as one write takes, and no more than the limit", async () => {
    const bytes = serialize(hello());
    for (const [maxWrite, limit, split] of [
      [10, Infinity, false],
      [Infinity, 10, false],
      [7, 10, true],
      [Infinity, 1, true],
      [Infinity, Infinity, true],
      [Infinity, Infinity, false],
    ] as const) {
      const [stream] = pair({ record: true, maxWrite });
      const serializer = new Serializer(hello(), { limit, split });
      let last = 0;
      while (!serializer.isDone) {
        const handled = await new Promise((resolve) => {
          let inside = true;
          writeSome(stream, serializer, (error) => resolve([error, inside]));
          inside = false;
        });
        assert.deepEqual(handled, [undefined, false]);
        const written = stream.sent.length - last;
        assert.ok(written >= 1 && written <= Math.min(maxWrite, limit));
        last = stream.sent.length;
        assert.equal(stream.operations, Math.ceil(stream.operations));
      }
      assert.deepEqual(stream.sent, bytes);
      // There is nothing left to do.
      const { operations } = stream;
      await writeSome(stream, serializer);
      assert.equal(stream.operations, operations);
    }
  });

  it("needs a body's parts to be put", async () => {
    const [stream] = pair({ record: true });
    const body = new HandBody();
    const serializer = new Serializer(new Response<Body>({ body }));
    await writeHeader(stream, serializer);
    await assert.rejects(writeSome(stream, serializer), { code: "http.need_body", condition: "misuse" });
    assert.throws(() => writeSome(stream, serializer, assert.fail), { code: "http.need_body" });
    serializer.put(Buffer.from("hello"), [["a", "b"]] as never);
    await writeSome(stream, serializer);
    serializer.end(new Fields({ T: "x" }));
    await writeSome(stream, serializer);
    assert.equal(serializer.isDone, true);
    assert.match(sent(stream), /\r\n5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n$/);
    assert.equal(body.asked, 0);
  });

  it("fails with the stream's error, and the rest can be asked for", async () => {
    const [stream] = pair({ maxWrite: 10, failAfter: 1 });
    const serializer = new Serializer(hello());
    await writeSome(stream, serializer);
    await assert.rejects(writeSome(stream, serializer), { code: "testing.failure" });
    assert.equal(
      serializer.next().reduce((size, part) => size + part.length, 0),
      serialize(hello()).length - 10,
    );
  });

  it("is misuse while another is in flight, without affecting that", async () => {
    const [stream] = pair({ record: true });
    const serializer = new Serializer(hello());
    const first = writeSome(stream, serializer);
    await assert.rejects(writeSome(stream, serializer), { code: "core.operation_pending" });
    await first;
    assert.deepEqual(stream.sent, serialize(hello()));
  });
});

describe("write of a streamed body", () => {
  it("is chunked if its size is unknown, and has its length otherwise", async () => {
    for (const maxWrite of [1, 7, Infinity]) {
      for (const message of [
        new Response<Body>({ body: parts("he", "", "llo") }),
        new Request<Body>({ method: "POST", body: parts("he", "", "llo") }),
      ]) {
        const [stream] = pair({ record: true, maxWrite });
        await write(stream, message);
        assert.match(sent(stream), /\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n$/);
      }
      const [stream] = pair({ record: true, maxWrite });
      await write(stream, new Response<Body>({ body: Object.assign(parts("he", "llo"), { size: 5 }) }));
      assert.match(sent(stream), /\r\nContent-Length: 5\r\n\r\nhello$/);
    }
  });

  it("accepts strings, views and buffers as parts, and Node's and the Web's streams as bodies", async () => {
    const { Readable } = await import("node:stream");
    const mixed = (async function* (): AsyncGenerator<unknown, undefined> {
      yield "é";
      yield new Uint16Array([0x4241]);
      yield new Uint8Array([0x43]).buffer;
    })();
    for (const [body, text] of [
      [mixed, "Ã©ABC"],
      [Readable.from([Buffer.from("node")]), "node"],
      [new Blob(["web"]).stream(), "web"],
    ] as [Body, string][]) {
      const [stream] = pair({ record: true });
      await write(stream, new Response<Body>({ body, headers: { "Content-Length": String(text.length) } }));
      assert.ok(sent(stream).endsWith(`\r\n\r\n${text}`));
    }
  });

  it("asks for the next part when the last is taken", async () => {
    const body = new HandBody();
    const [stream, peer] = pair({}, { capacity: 200 });
    const written = write(stream, new Response<Body>({ body }));
    await quiet();
    assert.equal(body.asked, 1);
    await body.give("x".repeat(1000));
    assert.equal(body.asked, 1);
    let size = 0;
    while (body.asked === 1) {
      size += await new Promise<number>((resolve) => peer.readSome((_, bytes) => resolve(bytes!.length)));
    }
    assert.ok(size > 800);
    await body.give();
    await written;
    assert.deepEqual([body.stops, body.drops], [0, 0]);
  });

  it("fails with the source's error", async () => {
    const mine = new Error("mine");
    const cases: [code: string, fail: (body: HandBody) => Promise<void>][] = [
      ["http.body_failed", (body) => body.fail(mine)],
      ["http.partial_message", (body) => body.fail(httpError("http.partial_message"))],
    ];
    for (const [code, fail] of cases) {
      const body = new HandBody();
      const [stream] = pair();
      const written = write(stream, new Response<Body>({ body }));
      await quiet();
      await fail(body);
      const error = await written.then(
        () => undefined,
        (failure: ServalError) => failure,
      );
      assert.equal(error?.code, code);
      if (code === "http.body_failed") assert.equal(error.cause, mine);
      assert.equal(body.stops, 0);
      assert.equal(stream.closed, false);
    }
  });

  for (const [what, body, code] of [
    ["can't be begun", { [Symbol.asyncIterator]: () => assert.fail("no") }, "http.body_failed"],
    ["throws", { [Symbol.asyncIterator]: () => ({ next: () => assert.fail("no") }) }, "http.body_failed"],
    ["gives no promise", { [Symbol.asyncIterator]: () => ({ next: () => 1 }) }, "http.body_failed"],
    ["gives no result", { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve() }) }, "http.body_failed"],
    [
      "gives something else than bytes",
      { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ value: 1 }) }) },
      "core.invalid_argument",
    ],
    ["has a bad trailer in a record", Object.assign(parts("x"), { trailers: { Host: "x" } }), "http.bad_trailer"],
    ["has a bad trailer", Object.assign(parts("x"), { trailers: new Fields({ Host: "x" }) }), "http.bad_trailer"],
    [
      "has no trailer to read",
      Object.defineProperty(parts("x"), "trailers", { get: () => assert.fail("no") }),
      "http.body_failed",
    ],
  ] as [string, unknown, string][]) {
    it(`fails with ${code} if the source ${what}`, async () => {
      const [stream] = pair();
      await assert.rejects(write(stream, new Response<Body>({ body: body as Body })), { code });
    });
  }

  it("stops the source, however it fails, also one that has not begun", async () => {
    const runs = await everyFailure(
      async (run) => {
        const body = new HandBody();
        const [stream] = run.pair({ maxWrite: 60 });
        const written = write(stream, new Response<Body>({ body }), { signal: run.signal }).then(
          () => undefined,
          (error: ServalError) => error.code,
        );
        await quiet();
        for (let given = 0; given < 6 && body.asked > given; given++) {
          await body.give(given < 5 ? "x".repeat(50) : undefined);
        }
        const code = await written;
        assert.ok(outcomes(run, undefined).includes(code), code);
        // One that has ended by itself need not be stopped.
        const stops = body.asked === 0 ? 0 : body.asked === 6 ? body.stops : 1;
        if (code !== undefined) assert.deepEqual([body.stops, body.drops], [stops, body.asked === 0 ? 1 : 0]);
        stream.close();
      },
      { failures: ["error", "reset", "abort"] },
    );
    assert.ok(runs.length > 15, runs.join());
  });

  it("aborted, ends in a reset: up to the end of the connection, a part would look like all of it", async () => {
    const controller = new AbortController();
    const [stream, peer] = pair();
    const body = (async function* (): AsyncGenerator<Uint8Array, undefined> {
      yield Buffer.from("part");
      await new Promise(() => {});
    })();
    const request = { method: "GET", version: 10 } as const;
    const written = write(stream, new Response<Body>({ body }), { request, signal: controller.signal });
    const client = new RawPeer(peer);
    await quiet(2);
    assert.match(client.text, /part$/);
    controller.abort();
    await assert.rejects(written, { code: "core.aborted" });
    await quiet(2);
    assert.deepEqual([client.ended, client.error?.code], [false, "core.connection_reset"]);
  });

  it("is aborted by its signal, also while the source yields nothing", async () => {
    for (let turns = 0; turns < 8; turns++) {
      const controller = new AbortController();
      const { signal } = controller;
      const body = new HandBody();
      const [stream] = pair();
      let runs = 0;
      const error = new Promise<ServalError | undefined>((resolve) => {
        write(stream, new Response<Body>({ body }), { signal }, (failure) => {
          runs++;
          resolve(failure);
        });
      });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort("enough");
      assert.deepEqual([(await error)?.code, (await error)?.cause], ["core.aborted", "enough"]);
      await quiet();
      if (body.asked > 0) await body.give("late");
      assert.deepEqual([runs, stream.closed, body.stops + body.drops], [1, true, 1]);
      assert.equal(getEventListeners(signal, "abort").length, 0);
    }
  });

  it("is stopped if only the head is sent, but not after misuse", async () => {
    const body = new HandBody();
    const [stream] = pair();
    const message = new Response<Body>({ body });
    const request = new Request({ method: "HEAD" });
    const first = write(stream, hello());
    await assert.rejects(write(stream, message, { request }), { code: "core.operation_pending" });
    assert.equal(body.drops, 0);
    await first;
    await write(stream, message, { request });
    assert.deepEqual([body.asked, body.drops], [0, 1]);
  });

  it("ignores a source that fails when it is stopped", async () => {
    for (const stop of [() => Promise.reject(new Error("late")), () => assert.fail("at once"), () => 1]) {
      const body = new HandBody();
      body.return = stop as never;
      const [stream] = pair({ failAfter: 1 });
      const written = write(stream, new Response<Body>({ body })).catch((error: ServalError) => error.code);
      await quiet();
      await body.give("x");
      assert.equal(await written, "testing.failure");
    }
  });
});
