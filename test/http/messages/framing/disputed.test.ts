import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Request, RequestParser, ResponseParser, serialize, type RequestInit } from "../../../../src/http/index.ts";
import { bytesOf } from "../../support/samples.ts";

// What parsers are known to disagree about.

const request = (...lines: string[]): RequestParser => {
  const parser = new RequestParser();
  parser.put(bytesOf([...lines, "\r\n"].join("\r\n")));
  return parser;
};
const response = (...lines: string[]): ResponseParser => {
  const parser = new ResponseParser();
  parser.put(bytesOf(["HTTP/1.1 200 OK", ...lines, "\r\n"].join("\r\n")));
  return parser;
};

describe("a tab after the value of a framing header", () => {
  const parsers = [response, (...lines: string[]) => request("POST / HTTP/1.1", ...lines)];
  for (const parse of parsers) {
    it("is space, as after any other value", () => {
      for (const value of ["chunked\t", "chunked \t ", "\tchunked\t"]) {
        assert.equal(parse(`transfer-encoding:${value}`).chunked, true);
      }
      for (const value of ["5\t", " 5 \t"]) assert.equal(parse(`content-length:${value}`).contentLength, 5);
    });

    it("makes no bad value a good one", () => {
      for (const value of ["\t", "gzip\t", "chunked\tx", "chun\tked"]) {
        assert.throws(() => parse(`transfer-encoding:${value}`), { code: "http.bad_transfer_encoding" }, value);
      }
      for (const value of ["\t", "5\t5", "\x0b5"]) {
        assert.throws(() => parse(`content-length:${value}`), { code: /^http\.bad_(content_length|value)$/ }, value);
      }
      assert.throws(() => parse("Transfer-Encoding: chunked", "Transfer-Encoding: chunked\t"), {
        code: "http.bad_transfer_encoding",
      });
    });

    it("is not confused with a tab elsewhere", () => {
      assert.equal(parse("Transfer-Encoding:\tchunked ", "A: b\t").chunked, true);
      assert.equal(parse("A:\tb\t", "Content-Length:\t5 ").contentLength, 5);
    });
  }
});

describe("the body of a CONNECT", () => {
  const sent = (init: RequestInit): string =>
    Buffer.from(serialize(new Request({ method: "CONNECT", target: "a:80", ...init }) as Request<Uint8Array>)).toString(
      "latin1",
    );

  it("is refused with any framing", () => {
    const connect = (line: string): RequestParser => request("CONNECT a:80 HTTP/1.1", "Host: a:80", line);
    assert.throws(() => connect("Content-Length: 5"), { code: "http.bad_content_length" });
    assert.throws(() => connect("Transfer-Encoding: chunked"), { code: "http.bad_transfer_encoding" });
    for (const line of ["A: b", "Content-Length: 0"]) {
      const parser = connect(line);
      assert.deepEqual([parser.isDone, parser.hasBody], [true, false]);
    }
  });

  it("is not sent", () => {
    assert.equal(sent({}), "CONNECT a:80 HTTP/1.1\r\n\r\n");
    assert.equal(sent({ headers: { "Content-Length": "0" } }), "CONNECT a:80 HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    assert.throws(() => sent({ body: "a" }), { code: "core.invalid_argument" });
    assert.throws(() => sent({ headers: { "Content-Length": "5" } }), { code: "http.bad_content_length" });
    assert.throws(() => sent({ headers: { "Transfer-Encoding": "chunked" } }), { code: "http.bad_transfer_encoding" });
  });
});
