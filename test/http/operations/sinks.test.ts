import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { RequestParser } from "../../../src/http/index.ts";
import type { Sink } from "../../../src/http/operations/read-operation.ts";
import { MessageSink, PartSink } from "../../../src/http/operations/sinks.ts";
import { bytesOf } from "../support/samples.ts";

const head = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
const body = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";

/** Feeds a sink a number of bytes at a time, those that it has not used up again. Returns how many it has used. */
function feed(sink: Sink<unknown>, text: string, step: number): number {
  let used = 0;
  for (
    let given = Math.min(step, text.length);
    !sink.isDone && used < text.length;
    given = Math.min(given + step, text.length)
  ) {
    used += sink.put(bytesOf(text.slice(used, given)));
  }
  return used;
}

describe("a sink", () => {
  for (const step of [1, 3, 1000]) {
    it(`takes what it needs and no more, ${step} bytes at a time`, () => {
      const parser = new RequestParser();
      const header = new MessageSink(parser, "head");
      assert.equal(feed(header, head + body, step), head.length);
      assert.equal(header.result().target, "/a");

      const parts: string[] = [];
      let at = 0;
      for (;;) {
        const sink = new PartSink(parser);
        at += feed(sink, `${body}more`.slice(at), step);
        const part = sink.result();
        if (part === undefined) break;
        parts.push(decodeLatin1(part));
      }
      assert.deepEqual([parts.join(""), at], ["hello", body.length]);

      const whole = new MessageSink(new RequestParser(), "message");
      assert.equal(feed(whole, `${head}${body}more`, step), head.length + body.length);
      assert.equal(decodeLatin1(whole.result().body), "hello");
    });
  }

  it("of parts returns a copy", () => {
    const parser = new RequestParser();
    parser.put(bytesOf(head));
    const sink = new PartSink(parser);
    const bytes = bytesOf("2\r\nhe");
    sink.put(bytes);
    bytes.fill(0);
    assert.equal(decodeLatin1(sink.result()!), "he");
  });

  it("of a stretch returns all bytes in one block of at most twice their size, and no view of its input", () => {
    const parser = new RequestParser();
    parser.put(bytesOf(head));
    for (const [chunks, expected] of [
      ["5\r\nhello\r\n3\r\nyou", "helloyou"],
      ["\r\n", undefined],
      ["2\r\nhe", "he"],
      ["\r\n1\r\na\r\n1\r\nb\r\n".repeat(100).replaceAll("\r\n\r\n", "\r\n"), "ab".repeat(100)],
      ["3\r\nend\r\n0\r\n\r\n", "end"],
    ] as const) {
      const sink = new PartSink(parser);
      const bytes = bytesOf(chunks);
      assert.equal(sink.put(bytes), bytes.length);
      bytes.fill(0);
      const stretch = sink.result();
      assert.equal(stretch && decodeLatin1(stretch), expected);
      if (stretch !== undefined) assert.ok(stretch.buffer.byteLength <= 2 * stretch.length);
    }
    assert.equal(parser.isDone, true);
  });

  it("of a stretch returns the valid bytes, and only then throws the error after them", () => {
    for (const [chunks, options, code] of [
      ["2\r\nhe\r\n3\r\nllo\r\nx", {}, "http.bad_chunk"],
      ["2\r\nhe\r\n3\r\nllo\r\n1\r\n", { maxBodySize: 5 }, "http.body_limit"],
    ] as const) {
      const parser = new RequestParser(options);
      parser.put(bytesOf(head));
      const sink = new PartSink(parser);
      const used = sink.put(bytesOf(chunks));
      assert.equal(decodeLatin1(sink.result()!), "hello");
      assert.throws(() => new PartSink(parser).put(bytesOf(chunks.slice(used))), { code });
    }
    assert.throws(() => new PartSink(new RequestParser()), { code: "http.need_header" });
  });

  it("reports at the end of the stream what is missing", () => {
    for (const sink of [
      new MessageSink(new RequestParser(), "head"),
      new MessageSink(new RequestParser(), "message"),
    ]) {
      assert.throws(() => sink.end(), { code: "http.end_of_stream" });
    }
    const parser = new RequestParser();
    parser.put(bytesOf(head));
    {
      assert.throws(() => new PartSink(parser).end(), { code: "http.partial_message" });
    }
  });
});
