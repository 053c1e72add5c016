import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { read, readHeader, RequestParser, ResponseParser, type Request } from "../../../src/http/index.ts";
import { bufferWith, once, readingSuite, streamWith } from "../support/reading-suite.ts";
import { chrome } from "../support/samples.ts";
import { random } from "../../support/property.ts";

const head = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n";
const withLength = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";

readingSuite({
  name: "read",
  read,
  make: (options) => new RequestParser(options),
  say: ({ method, target, headers }: Request<Uint8Array>, { trailers }) =>
    [method, target, ...[...headers].flat(), ...[...trailers].flat()].join(" "),
  messages: [
    ["no body", head, "GET /a Host b", ""],
    ["a length of nothing", "POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "POST /a Content-Length 0", ""],
    ["a length", withLength, "POST /a Content-Length 5", "hello"],
    [
      "chunks and a trailer",
      "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nT: x\r\n\r\n",
      "POST /a Transfer-Encoding chunked T x",
      "hello",
    ],
  ],
  bad: [
    ["\0", "http.bad_method"],
    ["\x16\x03\x01", "http.bad_method"],
    ["GET / HTTP/2.0\r", "http.bad_version"],
    [`${head.slice(0, -2)} `, "http.bad_obs_fold"],
  ],
  start: "GET / HTTP/1.1\r\nA: ",
});

describe("read", () => {
  it("one request after the other", async () => {
    const { stream, peer } = streamWith("GET /1 HTTP/1.1\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
    peer.end();
    const buffer = new FlatBuffer();
    for (const target of ["/1", "/2", "/3"]) {
      assert.equal((await read(stream, buffer, new RequestParser())).target, target);
    }
    await assert.rejects(read(stream, buffer, new RequestParser()), {
      code: "http.end_of_stream",
      condition: "closed",
    });
  });

  it("takes no memory for a request that arrives in one piece", async () => {
    const { stream } = streamWith(chrome);
    const buffer = new FlatBuffer();
    await read(stream, buffer, new RequestParser());
    assert.equal(buffer.capacity, 0);
  });

  it("keeps the request when the borrowed bytes are gone", async () => {
    const { stream } = streamWith(chrome);
    const request = await read(stream, new FlatBuffer(), new RequestParser());
    await Promise.resolve();
    assert.equal(request.headers.get("Host"), "localhost:8080");
  });

  it("continues with a parser that has seen the buffer's bytes", async () => {
    const parser = new RequestParser();
    const buffer = bufferWith(head.slice(0, 9));
    parser.put(buffer.data());
    const { stream } = streamWith(head.slice(9));
    assert.equal((await read(stream, buffer, parser)).target, "/a");
  });
});

describe("read of a message with a body", () => {
  it("that ends with the stream", async () => {
    const { stream, peer } = streamWith("HTTP/1.1 200 OK\r\n\r\nhello", { maxRead: 3 });
    peer.end();
    const response = await read(stream, new FlatBuffer(), new ResponseParser());
    assert.equal(decodeLatin1(response.body), "hello");
  });

  it("returns the rest after readHeader and readSome, in a body of its own", async () => {
    const { stream } = streamWith(withLength, { maxRead: 7 });
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    const whole = await read(stream, buffer, parser);
    assert.equal(whole.body.length, 5);
    assert.equal(decodeLatin1(whole.body), "hello");
  });

  it("returns a message once: a loop with its parser would get it forever", async () => {
    const { stream } = streamWith(withLength + withLength);
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    await assert.rejects(readHeader(stream, buffer, parser), { code: "http.stale_parser" });
    await read(stream, buffer, parser);
    await assert.rejects(read(stream, buffer, parser), { code: "http.stale_parser" });
    assert.equal(decodeLatin1((await read(stream, buffer, new RequestParser())).body), "hello");
  });

  it("has the same result for a random mix of sizes", async () => {
    const body = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(i % 256)).join("");
    for (let round = 0; round < 50; round++) {
      const size = (): number => 1 + Math.floor(random() * 500);
      let chunks = "";
      for (let at = 0; at < body.length;) {
        const chunk = body.slice(at, at + size());
        chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
        at += chunk.length;
      }
      const text = `POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
      const { stream } = streamWith(text + text, { maxRead: size() });
      const buffer = new FlatBuffer();
      for (let message = 0; message < 2; message++) {
        assert.equal(decodeLatin1((await read(stream, buffer, new RequestParser())).body), body);
      }
      assert.equal(buffer.capacity, 0);
    }
  });
});

describe("read completes with an error", () => {
  it("not for a head of exactly the limit, after which no more is held than one read", async () => {
    const maxHeaderSize = 1000;
    const fits = `GET /${"a".repeat(maxHeaderSize - "GET / HTTP/1.1\r\n\r\n".length)} HTTP/1.1\r\n\r\n`;
    for (const maxRead of [1, 999, 60_000]) {
      const buffer = new FlatBuffer();
      const { stream } = streamWith(fits + "x".repeat(50_000), { maxRead });
      await read(stream, buffer, new RequestParser({ maxHeaderSize }));
      assert.ok(buffer.size < maxRead);
    }
  });

  it("http.end_of_stream if only an empty line has come, which may precede a request", async () => {
    const { stream, peer } = streamWith("\r\n");
    peer.end();
    await assert.rejects(read(stream, new FlatBuffer(), new RequestParser()), { code: "http.end_of_stream" });
  });

  it("when the body is malformed or too large: the head is in the parser", async () => {
    for (const [code, headers, body] of [
      ["http.bad_chunk", "Transfer-Encoding: chunked", "x"],
      ["http.body_limit", "Content-Length: 11", ""],
      ["http.body_limit", "Transfer-Encoding: chunked", "b\r\n"],
      ["http.chunk_extension_limit", "Transfer-Encoding: chunked", `1;${"x".repeat(5000)}`],
    ] as const) {
      for (const maxRead of [1, Infinity]) {
        const parser = new RequestParser({ maxBodySize: 10 });
        const { stream } = streamWith(`POST /a HTTP/1.1\r\n${headers}\r\n\r\n${body}`, { maxRead });
        const { error, result } = await once((handler) => read(stream, new FlatBuffer(), parser, handler));
        assert.deepEqual([error?.code, result, parser.request?.method], [code, undefined, "POST"]);
      }
    }
  });
});
