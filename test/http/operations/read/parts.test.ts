// Messages that are read in parts: readHeader and readSome.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../../src/core/index.ts";
import { decodeLatin1 } from "../../../../src/core/text.ts";
import { read, readHeader, readSome, RequestParser, ResponseParser } from "../../../../src/http/index.ts";
import type { PairStream } from "../../../../src/testing/index.ts";
import { bufferWith, once, streamWith } from "../../support/reading-suite.ts";
import { bytesOf } from "../../support/samples.ts";

const head = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
const chunkedHead = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

/** All parts of a body, up to the end. */
async function partsOf(stream: PairStream, buffer: FlatBuffer, parser: RequestParser): Promise<string[]> {
  const parts: string[] = [];
  for (;;) {
    const { error, result: part } = await once<Uint8Array | undefined>((handler) =>
      readSome(stream, buffer, parser, handler),
    );
    if (error !== undefined) throw error;
    if (part === undefined) return parts;
    assert.ok(part.length > 0);
    parts.push(decodeLatin1(part));
  }
}

describe("readHeader", () => {
  it("stops after the head: the body stays in the buffer, or in the stream", async () => {
    for (const maxRead of [1, 7, Infinity]) {
      for (let at = 0; at <= head.length; at++) {
        const parser = new RequestParser();
        const buffer = bufferWith(head.slice(0, at));
        const { stream } = streamWith(`${head.slice(at)}hello`, { maxRead });
        const request = await readHeader(stream, buffer, parser);
        assert.deepEqual([request.target, request.body.length, parser.isDone], ["/a", 0, false]);
        assert.ok("hello".startsWith(decodeLatin1(buffer.data())));
        if (maxRead === 1) assert.equal(buffer.capacity, 0);
        assert.equal(stream.reading, false);
      }
    }
  });

  it("reads one head after the other if there are no bodies", async () => {
    const text = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    const { stream, peer } = streamWith(text);
    peer.end();
    const buffer = new FlatBuffer();
    for (const target of ["/1", "/2"]) {
      const parser = new RequestParser();
      assert.equal((await readHeader(stream, buffer, parser)).target, target);
      assert.equal(parser.isDone, true);
      assert.equal(await readSome(stream, buffer, parser), undefined);
    }
    await assert.rejects(readHeader(stream, buffer, new RequestParser()), { code: "http.end_of_stream" });
  });

  it("accepts an eager parser, and ignores a body that is too large", async () => {
    const parser = new RequestParser({ eager: true, maxBodySize: 4 });
    const { stream } = streamWith(`${head}hello`);
    const buffer = new FlatBuffer();
    assert.equal((await readHeader(stream, buffer, parser)).contentLength, 5);
    await assert.rejects(readSome(stream, buffer, parser), { code: "http.body_limit" });
    // And again: it has failed.
    await assert.rejects(readSome(stream, buffer, parser), { code: "http.body_limit" });
  });

  it("allows setting the body's limit after it", async () => {
    const parser = new RequestParser({ maxBodySize: 4 });
    const { stream } = streamWith(`${head}hello`);
    const buffer = new FlatBuffer();
    await readHeader(stream, buffer, parser);
    parser.maxBodySize = 5;
    assert.deepEqual(await partsOf(stream, buffer, parser), ["hello"]);
  });

  it("fails if the head is malformed", async () => {
    const { stream } = streamWith("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n");
    await assert.rejects(readHeader(stream, new FlatBuffer(), new RequestParser()), {
      code: "http.bad_content_length",
    });
  });
});

describe("readSome", () => {
  for (const [name, text, trailers] of [
    ["a length", `${head}hello`, undefined],
    ["chunks", `${chunkedHead}2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: x\r\n\r\n`, "x"],
  ] as const) {
    it(`yields a body with ${name} to its end, for reads of any size, and leaves the bytes after it`, async () => {
      for (const maxRead of [1, 2, 7, Infinity]) {
        const { stream, peer } = streamWith(`${text}behind`, { maxRead });
        const buffer = new FlatBuffer();
        const parser = new RequestParser();
        await readHeader(stream, buffer, parser);
        const parts = await partsOf(stream, buffer, parser);
        assert.equal(parts.join(""), "hello");
        assert.deepEqual([parser.isDone, parser.trailers.get("t")], [true, trailers]);
        // Behind the end, it says so again, and reads nothing.
        const { operations } = stream;
        assert.equal(await readSome(stream, buffer, parser), undefined);
        assert.equal(stream.operations, operations);
        peer.end();
        assert.equal("behind".startsWith(decodeLatin1(buffer.data())), true);
      }
    });

    it(`fails with ${name} if the stream ends inside`, async () => {
      const begin = name === "chunks" ? chunkedHead : head;
      const body = text.slice(begin.length);
      for (let n = 0; n < body.length; n++) {
        const cut = new RequestParser();
        cut.put(bytesOf(begin));
        const { stream, peer } = streamWith(body.slice(0, n));
        peer.end();
        await assert.rejects(partsOf(stream, new FlatBuffer(), cut), { code: "http.partial_message" });
      }
    });
  }

  it("yields parts in memory of their own", async () => {
    const { stream } = streamWith(`${head}hello`, { maxRead: head.length + 2 });
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    const first = await readSome(stream, buffer, parser);
    const second = await readSome(stream, buffer, parser);
    await Promise.resolve();
    buffer.append(new Uint8Array(1000));
    assert.equal(decodeLatin1(first!) + decodeLatin1(second!), "hello");
  });

  it("yields a body up to the end of the stream", async () => {
    const { stream, peer } = streamWith("HTTP/1.1 200 OK\r\n\r\nhe");
    const buffer = new FlatBuffer();
    const parser = new ResponseParser();
    await readHeader(stream, buffer, parser);
    assert.equal(decodeLatin1((await readSome(stream, buffer, parser))!), "he");
    const last = readSome(stream, buffer, parser);
    peer.end();
    assert.equal(await last, undefined);
    assert.equal(parser.isDone, true);
  });

  it("is misuse before the head", async () => {
    const { stream } = streamWith(head);
    const parser = new RequestParser();
    await assert.rejects(readSome(stream, new FlatBuffer(), parser), { code: "http.need_header", condition: "misuse" });
    assert.throws(() => readSome(stream, new FlatBuffer(), parser, assert.fail), { code: "http.need_header" });
    assert.equal(stream.operations, 0);
  });

  it("and a later read leaves out the bytes already returned", async () => {
    const { stream } = streamWith(`${head}hello`, { maxRead: head.length + 2 });
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    assert.equal(decodeLatin1((await readSome(stream, buffer, parser))!), "he");
    assert.equal(decodeLatin1((await read(stream, buffer, parser)).body), "llo");
  });

  it("holds no more than one read of the stream, however small the chunks are", async () => {
    const text = chunkedHead + "1\r\nx\r\n".repeat(5000);
    const { stream } = streamWith(text, { maxRead: 10_000 });
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    let parts = 0;
    for (let size = 0; size < 5000; parts++) {
      size += (await readSome(stream, buffer, parser))!.length;
      assert.ok(buffer.size < 10_000);
    }
    // All that is there at once: tiny chunks don't buy as many turns.
    assert.ok(parts <= 4, `${parts} parts`);
  });

  it("is aborted by its signal, at any time, and leaves no listener", async () => {
    for (const text of ["", "5\r\nhello\r\n"]) {
      for (let turns = 0; turns < 8; turns++) {
        const controller = new AbortController();
        const parser = new RequestParser();
        parser.put(bytesOf(chunkedHead));
        const { stream } = streamWith(text);
        const { signal } = controller;
        const outcome = once<Uint8Array | undefined>((handler) =>
          readSome(stream, new FlatBuffer(), parser, { signal }, handler),
        );
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const inTime = getEventListeners(controller.signal, "abort").length > 0;
        controller.abort("enough");
        const { error, result: part } = await outcome;
        assert.equal(error?.code, inTime ? "core.aborted" : undefined);
        assert.equal(part === undefined, inTime);
        assert.deepEqual([stream.closed, getEventListeners(controller.signal, "abort").length], [inTime, 0]);
      }
    }
  });

  it("is misuse while another is in flight, without affecting that", async () => {
    const { stream, peer } = streamWith("");
    const parser = new RequestParser();
    parser.put(bytesOf(head));
    const buffer = new FlatBuffer();
    const first = readSome(stream, buffer, parser);
    await assert.rejects(readSome(stream, buffer, parser), { code: "core.operation_pending" });
    assert.throws(() => readSome(stream, buffer, parser, {}, assert.fail), { code: "core.operation_pending" });
    peer.writeSome(bytesOf("hello"), () => {});
    assert.equal(decodeLatin1((await first)!), "hello");
  });
});
