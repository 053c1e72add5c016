import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  Fields,
  Request,
  Response,
  serialize,
  serializeHead,
  type RequestInit,
  type ResponseInit,
} from "../../src/http/index.ts";
import { decodeLatin1 } from "../../src/core/text.ts";

const head = (init: ResponseInit, omitBody?: boolean): string =>
  decodeLatin1(serializeHead(new Response(init), omitBody));

/** A response that no constructor lets through. */
const forged = (init: Partial<Response>): Response =>
  Object.assign(Object.create(Response.prototype), new Response(), init);

describe("serializeHead", () => {
  it("writes status, reason, fields in order and Content-Length", () => {
    assert.equal(
      head({ status: 404, fields: { B: ["1", "2"], a: "" }, body: Uint8Array.of(1, 2) }),
      "HTTP/1.1 404 Not Found\r\nB: 1\r\nB: 2\r\na: \r\nContent-Length: 2\r\n\r\n",
    );
    assert.equal(head({}), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert.equal(head({ status: 599 }), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
  });

  it("writes no Content-Length where the status has none", () => {
    assert.equal(head({ status: 101 }), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert.equal(head({ status: 100 }), "HTTP/1.1 100 Continue\r\n\r\n");
    assert.equal(head({ status: 204 }), "HTTP/1.1 204 No Content\r\n\r\n");
    assert.equal(head({ status: 304 }), "HTTP/1.1 304 Not Modified\r\n\r\n");
  });

  it("leaves a Content-Length that is right", () => {
    const fields = { "content-length": "1" };
    assert.equal(head({ fields, body: Uint8Array.of(1) }), "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n");
    assert.equal(head({ fields, status: 304 }), "HTTP/1.1 304 Not Modified\r\ncontent-length: 1\r\n\r\n");
  });

  it("writes what HEAD is told of a body that does not follow", () => {
    assert.equal(head({ body: Uint8Array.of(1) }, true), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    const fields = { "Content-Length": "7" };
    assert.equal(head({ fields }, true), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  });

  it("refuses framing that would mislead", () => {
    for (const [code, init] of [
      ["http.bad_content_length", { fields: { "Content-Length": "1" } }],
      ["http.bad_content_length", { fields: { "Content-Length": ["0", "0"] } }],
      ["http.bad_content_length", { status: 204, fields: { "Content-Length": "0" } }],
      ["http.bad_content_length", { status: 101, fields: { "Content-Length": "0" } }],
      ["http.bad_transfer_encoding", { fields: { "Transfer-Encoding": "chunked" } }],
      ["core.invalid_argument", { status: 204, body: "a" }],
      ["core.invalid_argument", { status: 304, body: "a" }],
      ["core.invalid_argument", { status: 101, body: "a" }],
    ] as [string, ResponseInit][]) {
      assert.throws(() => head(init), { code }, JSON.stringify(init));
    }
  });

  it("refuses what could end the head, however it got there", () => {
    const breaks = ["a\r\n\r\nHTTP/1.1 200 OK", "\n", "\r", "\0", "\u010a", "\u010d\u010a"];
    for (const text of breaks) {
      const raw = (...list: string[]): Response => new Response({ fields: Fields.fromRaw(list) });
      assert.throws(() => serializeHead(raw("A", text)), { code: "http.bad_value" });
      assert.throws(() => serializeHead(raw(text, "a")), { code: "http.bad_field" });
      assert.throws(() => serializeHead(raw("a", "b", "A: b", "c")), { code: "http.bad_field" });
      assert.throws(() => serializeHead(forged({ reason: text })), { code: "http.bad_reason" });
      assert.throws(() => serializeHead(forged({ status: text as unknown as number })), { code: "http.bad_status" });
    }
    assert.throws(() => serializeHead(forged({ status: 1000 })), { code: "http.bad_status" });
  });

  it("makes one head and no more of whatever it takes", () => {
    const text = fc.string({ unit: "binary", maxLength: 8 });
    const odd = fc.oneof(text, fc.constantFrom("\r\n", "\n", "\u010a", ":", " ", "é", "a"));
    fc.assert(
      fc.property(odd, fc.array(fc.tuple(odd, odd), { maxLength: 4 }), (reason, fields) => {
        let bytes: Uint8Array;
        try {
          bytes = serializeHead(forged({ reason, fields: Fields.fromRaw(fields.flat()) }));
        } catch (error) {
          assert.match((error as { code: string }).code, /^http\./);
          return;
        }
        const lines = decodeLatin1(bytes).split("\r\n");
        assert.deepEqual(
          lines.slice(1, 1 + fields.length),
          fields.map(([name, value]) => `${name}: ${value}`),
        );
        assert.deepEqual(lines.slice(-2), ["", ""]);
        assert.equal(lines.filter((line) => line === "").length, 2);
        assert.ok(!/[\r\n\0]/.test(lines.join("")));
      }),
    );
  });
});

describe("serializeHead, of a request", () => {
  const request = (init: RequestInit): string => decodeLatin1(serializeHead(new Request(init)));

  it("writes method, target, version and fields in order, and adds nothing", () => {
    assert.equal(
      request({ method: "CONNECT", target: "a:80", fields: { Host: "a:80", B: ["1", "2"] } }),
      "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nB: 1\r\nB: 2\r\n\r\n",
    );
    assert.equal(request({}), "GET / HTTP/1.1\r\n\r\n");
    assert.equal(request({ method: "POST", version: 10 }), "POST / HTTP/1.0\r\n\r\n");
    const fields = { "content-length": "0" };
    assert.equal(request({ method: "POST", fields }), "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n");
  });

  it("refuses what could end a part of it, however it got there", () => {
    for (const text of ["", " ", "a b", "a\r\n\r\nGET /", "\n", "\r", "\0", "\t", "\x7f", "é", "\u010a", "\u0147"]) {
      assert.throws(() => request({ method: text }), { code: "http.bad_method" });
      assert.throws(() => request({ target: text }), { code: "http.bad_target" });
    }
    assert.throws(() => request({ method: "GE(" }), { code: "http.bad_method" });
    for (const text of ["a\r\nb", "\n", "\0"]) {
      assert.throws(() => request({ fields: Fields.fromRaw(["A", text]) }), { code: "http.bad_value" });
      assert.throws(() => request({ fields: Fields.fromRaw([text, "a"]) }), { code: "http.bad_field" });
    }
    for (const version of [0, 9, 12, 20, NaN]) {
      assert.throws(() => request({ version }), { code: "http.bad_version" });
    }
  });

  it("refuses framing that promises a body", () => {
    for (const value of ["1", "00", "", ["0", "0"]]) {
      assert.throws(() => request({ fields: { "Content-Length": value } }), { code: "http.bad_content_length" });
    }
    assert.throws(() => request({ fields: { "Transfer-Encoding": "chunked" } }), {
      code: "http.bad_transfer_encoding",
    });
  });
});

describe("serialize", () => {
  it("adds the body", () => {
    assert.equal(
      decodeLatin1(serialize(new Response({ body: Uint8Array.of(0x61, 0xff, 0) }))),
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\xff\0",
    );
  });

  it("makes bytes of their own", () => {
    const response = new Response({ body: "a" });
    serialize(response).fill(0);
    assert.equal(response.body[0], 0x61);
  });
});
