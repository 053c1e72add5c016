import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields, Request } from "../../../src/http/index.ts";

describe("Request", () => {
  it("is GET / HTTP/1.1 without headers by default", () => {
    const request = new Request();
    assert.equal(request.method, "GET");
    assert.equal(request.target, "/");
    assert.equal(request.version, 11);
    assert.equal(request.headers.size, 0);
  });

  it("copies its headers", () => {
    const headers = new Fields({ Host: "a" });
    const request = new Request({ headers });
    headers.delete("Host");
    assert.equal(request.headers.get("host"), "a");
  });

  it("splits its target at the first question mark", () => {
    for (const [target, path, query] of [
      ["/", "/", ""],
      ["/a?b", "/a", "b"],
      ["/a?", "/a", ""],
      ["?b", "", "b"],
      ["/a?b?c=%20", "/a", "b?c=%20"],
      ["*", "*", ""],
      ["http://h/a?b", "/a", "b"],
    ]) {
      const request = new Request({ target });
      assert.equal(request.path, path);
      assert.equal(request.query, query);
    }
  });

  it("has its body as bytes or a stream, text as UTF-8, and adds no Content-Type", () => {
    assert.equal((new Request().body as Uint8Array).length, 0);
    const text = new Request({ body: "é" });
    assert.deepEqual([text.body, text.headers.size], [Uint8Array.of(0xc3, 0xa9), 0]);
    const stream = new ReadableStream<Uint8Array>();
    assert.equal(new Request({ body: stream }).body, stream);
    assert.throws(() => new Request({ body: 1 as unknown as string }), { code: "core.invalid_argument" });
  });

  it("refuses invalid headers", () => {
    assert.throws(() => new Request({ headers: { "a b": "c" } }), { code: "http.bad_field" });
    assert.throws(() => new Request({ headers: { a: "\n" } }), { code: "http.bad_value" });
  });

  it("knows who waits for 100 (Continue)", () => {
    const waits = (Expect: string | string[], version = 11): boolean =>
      new Request({ version, headers: { Expect } }).expectsContinue;
    assert.deepEqual(
      [waits("100-continue"), waits("100-CONTINUE"), waits("100"), waits("")],
      [true, true, false, false],
    );
    assert.deepEqual([waits("100-continue", 10), waits(["100-continue", "100-continue"])], [false, true]);
    assert.equal(new Request().expectsContinue, false);
  });
});
