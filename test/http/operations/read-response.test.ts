import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { FinalResponseParser, readResponse } from "../../../src/http/index.ts";
import { readingSuite, rest, streamWith } from "../support/reading-suite.ts";

const interim = "HTTP/1.1 100 Continue\r\n\r\n";
const refusal = "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhello";

readingSuite({
  name: "readResponse",
  read: readResponse,
  make: (options) => new FinalResponseParser(options),
  say: ({ status, reason }) => `${status} ${reason}`,
  messages: [
    ["a length", refusal, "403 No", "hello"],
    [
      "chunks",
      "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
      "403 No",
      "hello",
    ],
    ["no body", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "101 Switching Protocols", ""],
    ["an interim one before it", `${interim}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`, "200 OK", "hello"],
  ],
  bad: [
    ["\0", "http.bad_start_line"],
    ["\x15\x03", "http.bad_start_line"],
    [`${interim}x`, "http.bad_start_line"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", "http.bad_chunk"],
    [interim.repeat(9), "http.interim_limit"],
  ],
  start: "HTTP/1.1 200 ",
});

describe("readResponse", () => {
  it("reads up to the end of the stream", async () => {
    for (const maxRead of [1, Infinity]) {
      const { stream, peer } = streamWith("HTTP/1.1 403 No\r\n\r\nhello", { maxRead });
      peer.end();
      const response = await readResponse(stream, new FlatBuffer(), new FinalResponseParser());
      assert.deepEqual([response.status, decodeLatin1(response.body)], [403, "hello"]);
    }
  });

  it("reads only a head, and leaves all bytes after it", async () => {
    for (const maxRead of [1, 7, Infinity]) {
      const { stream, peer } = streamWith(refusal, { maxRead });
      const buffer = new FlatBuffer();
      const response = await readResponse(stream, buffer, new FinalResponseParser({ maxBodySize: 0 }));
      assert.deepEqual([response.status, response.body.length], [403, 0]);
      assert.equal(await rest(buffer, stream, peer), "hello");
    }
  });

  it("leaves a tunnel's bytes, and reads a refusal's", async () => {
    const tunnel = streamWith("HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01");
    const buffer = new FlatBuffer();
    const opened = await readResponse(tunnel.stream, buffer, new FinalResponseParser({ method: "CONNECT" }));
    assert.deepEqual([opened.status, decodeLatin1(buffer.data())], [200, "\x16\x03\x01"]);
    const { stream } = streamWith(refusal);
    const refused = await readResponse(stream, new FlatBuffer(), new FinalResponseParser({ method: "CONNECT" }));
    assert.deepEqual([refused.status, decodeLatin1(refused.body)], [403, "hello"]);
  });

  it("stops at the body's limit, without waiting for the rest", async () => {
    const { stream } = streamWith(refusal.replace("5", "50"));
    const response = await readResponse(stream, new FlatBuffer(), new FinalResponseParser({ maxBodySize: 4 }));
    assert.equal(decodeLatin1(response.body), "hell");
  });

  it("leaves the received part of a response that is cut in the parser", async () => {
    const parser = new FinalResponseParser();
    const { stream, peer } = streamWith(refusal.slice(0, -2));
    peer.end();
    await assert.rejects(readResponse(stream, new FlatBuffer(), parser), { code: "http.partial_message" });
    assert.equal(decodeLatin1(parser.response!.body), "hel");
  });
});
