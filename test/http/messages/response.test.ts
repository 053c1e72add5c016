import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { Fields, read, Response, ResponseParser, write } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";

describe("Response", () => {
  it("is an empty 200 by default", () => {
    const response = new Response();
    assert.equal(response.status, 200);
    assert.equal(response.reason, "OK");
    assert.equal(response.headers.size, 0);
    assert.equal(response.body.length, 0);
  });

  it("is HTTP/1.1 unless it was received with another version", () => {
    assert.equal(new Response().version, 11);
    assert.equal(new Response({ version: 10 }).version, 10);
  });

  it("has the status's reason, unless one is given", () => {
    assert.equal(new Response({ status: 404 }).reason, "Not Found");
    assert.equal(new Response({ status: 599 }).reason, "");
    assert.equal(new Response({ status: 200, reason: "Fine" }).reason, "Fine");
    assert.equal(new Response({ status: 200, reason: "" }).reason, "");
  });

  it("sends text as UTF-8, with a Content-Type", () => {
    const response = new Response({ body: "é" });
    assert.deepEqual(response.body, Uint8Array.of(0xc3, 0xa9));
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
  });

  it("sends a Blob with its type, if it has one", async () => {
    const response = new Response({ body: new Blob(["<p>"], { type: "text/html" }) });
    assert.deepEqual([response.headers.get("Content-Type"), await response.text()], ["text/html", "<p>"]);
    assert.equal(new Response({ body: new Blob(["a"]) }).headers.size, 0);
    const [stream, peer] = pair();
    const written = write(stream, new Response({ body: new Blob(["a", "b"]) }));
    assert.equal((await read(peer, new FlatBuffer(), new ResponseParser())).contentLength, 2);
    await written;
  });

  it("keeps a given Content-Type, and adds none for bytes", () => {
    const page = new Response({ body: "<p>", headers: { "content-type": "text/html" } });
    assert.deepEqual(page.headers.raw, ["content-type", "text/html"]);
    assert.equal(new Response({ body: Uint8Array.of(1) }).headers.size, 0);
  });

  it("does not change the headers it is given", () => {
    const headers = new Fields();
    assert.equal(new Response({ body: "a", headers }).headers.size, 1);
    assert.equal(headers.size, 0);
  });

  it("refuses an invalid status or reason", () => {
    for (const status of [0, 99, 1000, 200.5, NaN]) {
      assert.throws(() => new Response({ status }), { code: "http.bad_status" });
    }
    const message = 'The status must be a whole number from 100 to 999, not "401"';
    assert.throws(() => new Response({ status: "401" as unknown as number }), { code: "http.bad_status", message });
    for (const reason of ["a\r\nb", "\0", "\u010a"]) {
      assert.throws(() => new Response({ reason }), { code: "http.bad_reason" });
    }
  });

  it("knows whether its body ends with the connection", () => {
    for (const [status, headers, needs] of [
      [200, {}, true],
      [200, { "Transfer-Encoding": "gzip" }, true],
      [200, { "Transfer-Encoding": "gzip, chunked" }, false],
      [200, { "content-length": "0" }, false],
      [101, {}, false],
      [204, {}, false],
      [304, {}, false],
    ] as const) {
      assert.equal(new Response({ status, headers }).needsEof, needs, `${status} ${JSON.stringify(headers)}`);
    }
  });

  it("accepts a streamed body, and refuses an invalid one", () => {
    const stream = new ReadableStream<Uint8Array>();
    const response = new Response({ body: stream });
    assert.deepEqual([response.body, response.headers.size], [stream, 0]);
    assert.throws(() => new Response({ body: {} as Uint8Array }), { code: "core.invalid_argument" });
  });
});
