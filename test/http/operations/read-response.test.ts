import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { FlatBuffer, type ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { FinalResponseParser, readResponse, type Response } from "../../../src/http/index.ts";
import { pair, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { bytesOf } from "../support/samples.ts";

const interim = "HTTP/1.1 100 Continue\r\n\r\n";
const answers: [name: string, text: string, body: string][] = [
  ["a length", "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhello", "hello"],
  ["chunks", "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"],
  ["no body", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ""],
  ["an interim response", `${interim}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`, "hello"],
];
const [[, head]] = answers;

/** A stream that a peer has written this to. */
function streamWith(text: string, options: PairOptions = {}): { stream: PairStream; peer: PairStream } {
  const [stream, peer] = pair(options, {});
  if (text !== "") peer.writeSome(bytesOf(text), () => {});
  return { stream, peer };
}

function bufferWith(text: string, maxSize = Infinity): FlatBuffer {
  const buffer = new FlatBuffer({ maxSize });
  if (text !== "") buffer.append(bytesOf(text));
  return buffer;
}

/** All that a reader would find behind the message: what is left in the buffer, and then in the stream. */
async function rest(buffer: FlatBuffer, stream: PairStream, peer: PairStream): Promise<string> {
  let text = decodeLatin1(buffer.data());
  peer.end();
  for (;;) {
    const more = await new Promise<string | undefined>((resolve, reject) => {
      stream.readSome((error, bytes) => (error === undefined ? resolve(bytes && decodeLatin1(bytes)) : reject(error)));
    });
    if (more === undefined) return text;
    text += more;
  }
}

/** Reads with a handler, and checks that it runs once and not inside the call. */
function readOnce(
  stream: PairStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser = new FinalResponseParser(),
  signal?: AbortSignal,
): Promise<{ error: ServalError | undefined; response: Response | undefined }> {
  return new Promise((resolve, reject) => {
    let inside = true;
    let runs = 0;
    readResponse(stream, buffer, parser, signal && { signal }, (error, response) => {
      if (inside || ++runs > 1) reject(new Error("inside the call, or twice"));
      resolve({ error, response });
    });
    inside = false;
  });
}

describe("readResponse", () => {
  for (const [name, text, body] of answers) {
    it(`reads ${name}, wherever the bytes are, and leaves what is behind`, async () => {
      const behind = "\x81\x05hello";
      for (let inBuffer = 0; inBuffer <= text.length; inBuffer++) {
        for (const maxRead of [1, 7, Infinity]) {
          const { stream, peer } = streamWith(text.slice(inBuffer) + behind, { maxRead });
          const buffer = bufferWith(text.slice(0, inBuffer));
          const { error, response } = await readOnce(stream, buffer);
          assert.deepEqual([error, decodeLatin1(response!.body)], [undefined, body]);
          assert.equal(await rest(buffer, stream, peer), behind);
        }
      }
    });
  }

  it("reads up to the end of the stream", async () => {
    for (const maxRead of [1, Infinity]) {
      const { stream, peer } = streamWith("HTTP/1.1 403 No\r\n\r\nhello", { maxRead });
      peer.end();
      const response = await readResponse(stream, new FlatBuffer(), new FinalResponseParser());
      assert.deepEqual([response.status, decodeLatin1(response.body)], [403, "hello"]);
    }
  });

  it("reads a head alone, and leaves all that is behind it", async () => {
    for (const maxRead of [1, 7, Infinity]) {
      const { stream, peer } = streamWith(head, { maxRead });
      const buffer = new FlatBuffer();
      const response = await readResponse(stream, buffer, new FinalResponseParser({ maxBodySize: 0 }));
      assert.deepEqual([response.status, response.body.length], [403, 0]);
      assert.equal(await rest(buffer, stream, peer), "hello");
    }
  });

  it("leaves a tunnel's bytes, and reads why there is none", async () => {
    const tunnel = streamWith("HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01");
    const buffer = new FlatBuffer();
    const opened = await readResponse(tunnel.stream, buffer, new FinalResponseParser({ method: "CONNECT" }));
    assert.deepEqual([opened.status, decodeLatin1(buffer.data())], [200, "\x16\x03\x01"]);
    const { stream } = streamWith(head);
    const refused = await readResponse(stream, new FlatBuffer(), new FinalResponseParser({ method: "CONNECT" }));
    assert.deepEqual([refused.status, decodeLatin1(refused.body)], [403, "hello"]);
  });

  it("stops at the limit of the body, without waiting for the rest", async () => {
    const { stream } = streamWith(head.replace("5", "50"));
    const response = await readResponse(stream, new FlatBuffer(), new FinalResponseParser({ maxBodySize: 4 }));
    assert.equal(decodeLatin1(response.body), "hell");
  });

  it("keeps the response whole when the borrowed bytes are gone", async () => {
    const { stream } = streamWith(head);
    const response = await readResponse(stream, new FlatBuffer(), new FinalResponseParser());
    await Promise.resolve();
    assert.deepEqual([response.reason, decodeLatin1(response.body)], ["No", "hello"]);
  });

  it("takes no memory of the buffer for what comes in one piece", async () => {
    const { stream } = streamWith(head);
    const buffer = new FlatBuffer();
    await readResponse(stream, buffer, new FinalResponseParser());
    assert.equal(buffer.capacity, 0);
  });

  it("never completes inside the call, and leaves the stream alone where the buffer is enough", async () => {
    const { stream } = streamWith("");
    assert.equal((await readOnce(stream, bufferWith(head))).response?.status, 403);
    assert.equal((await readOnce(stream, bufferWith("\0"))).error?.code, "http.bad_version");
    assert.equal(stream.operations, 0);
  });

  it("takes its handler with and without options before it", async () => {
    for (const options of [undefined, {}]) {
      const { stream } = streamWith(head);
      const status = await new Promise((resolve) => {
        const handler = (_: unknown, response: Response): void => resolve(response.status);
        if (options === undefined) readResponse(stream, new FlatBuffer(), new FinalResponseParser(), handler);
        else readResponse(stream, new FlatBuffer(), new FinalResponseParser(), options, handler);
      });
      assert.equal(status, 403);
    }
  });
});

describe("readResponse completes with an error", () => {
  it("when the stream ends: http.end_of_stream before a response, http.partial_message inside", async () => {
    for (const [, text] of answers) {
      for (let at = 0; at < text.length; at++) {
        for (const inBuffer of [0, at >> 1, at]) {
          const { stream, peer } = streamWith(text.slice(inBuffer, at));
          peer.end();
          const { error, response } = await readOnce(stream, bufferWith(text.slice(0, inBuffer)));
          assert.equal(error?.code, at === 0 ? "http.end_of_stream" : "http.partial_message");
          assert.equal(response, undefined);
        }
      }
    }
  });

  it("and leaves in the parser what has come of the response", async () => {
    const parser = new FinalResponseParser();
    const { stream, peer } = streamWith(head.slice(0, -2));
    peer.end();
    assert.equal((await readOnce(stream, new FlatBuffer(), parser)).error?.code, "http.partial_message");
    assert.equal(decodeLatin1(parser.response!.body), "hel");
  });

  it("when the bytes are bad, without waiting for more", async () => {
    for (const [text, code] of [
      ["\x15\x03", "http.bad_version"],
      [`${interim}x`, "http.bad_version"],
      ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", "http.bad_chunk"],
      [interim.repeat(9), "http.interim_limit"],
    ] as const) {
      for (let at = 0; at <= text.length; at++) {
        const { stream } = streamWith(text.slice(at), { maxRead: 2 });
        assert.equal((await readOnce(stream, bufferWith(text.slice(0, at)))).error?.code, code);
      }
    }
  });

  it("when the head is too large: no more is held than the limit and one read", async () => {
    for (const maxRead of [1, 999, 60_000]) {
      const buffer = new FlatBuffer();
      const { stream } = streamWith(`HTTP/1.1 200 ${"x".repeat(50_000)}`, { maxRead });
      const { error } = await readOnce(stream, buffer, new FinalResponseParser({ maxHeaderSize: 1000 }));
      assert.equal(error?.code, "http.header_limit");
      assert.ok(buffer.size < 1000 + maxRead);
      assert.ok(stream.operations <= Math.ceil(1000 / maxRead));
    }
  });

  it("when the buffer's maxSize is too small", async () => {
    const { stream } = streamWith(head, { maxRead: 7 });
    assert.equal((await readOnce(stream, bufferWith("", 10))).error?.code, "core.buffer_overflow");
  });

  it("of the stream's own, for the n-th operation that fails, for every n", async () => {
    for (const [, text] of answers) {
      for (let n = 0; n <= text.length; n++) {
        const controller = new AbortController();
        const { stream } = streamWith(text, { maxRead: 1, failAfter: n });
        const { error, response } = await readOnce(stream, new FlatBuffer(), undefined, controller.signal);
        if (n < text.length) assert.equal(error?.code, "testing.failure");
        assert.equal(response !== undefined, n === text.length);
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
      }
    }
  });

  it("also where a stream throws when it is to read on", async () => {
    const { stream } = streamWith(head, { maxRead: 7 });
    const start = stream.readSome.bind(stream);
    let reads = 0;
    stream.readSome = (handler) => {
      if (++reads === 3) throw new Error("no");
      start(handler);
    };
    const { error } = await readOnce(stream, new FlatBuffer());
    assert.equal(error?.code, "core.transport");
    assert.match(String(error?.cause), /no$/);
  });

  it("core.aborted, wherever the signal fires, and closes the stream", async () => {
    let finished = 0;
    for (let turns = 0; turns < 300 && finished < 3; turns++) {
      for (const inBuffer of [0, 5, head.length]) {
        const controller = new AbortController();
        const { signal } = controller;
        const { stream } = streamWith(head.slice(inBuffer), { maxRead: 3 });
        const outcome = readOnce(stream, bufferWith(head.slice(0, inBuffer)), undefined, signal);
        let done = false;
        void outcome.then(() => (done = true));
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        if (done) finished++;
        const inTime = getEventListeners(signal, "abort").length > 0;
        controller.abort("enough");
        const { error, response } = await outcome;
        assert.equal(error?.code, inTime ? "core.aborted" : undefined);
        assert.equal(error?.cause, inTime ? "enough" : undefined);
        assert.equal(response?.status, inTime ? undefined : 403);
        assert.equal(stream.closed, inTime);
        assert.equal(getEventListeners(signal, "abort").length, 0);
      }
    }
    assert.equal(finished, 3);
  });

  it("core.aborted where the signal has fired before", async () => {
    for (const inBuffer of ["", head]) {
      const { stream } = streamWith(head);
      const signal = AbortSignal.abort();
      await assert.rejects(readResponse(stream, bufferWith(inBuffer), new FinalResponseParser(), { signal }), {
        code: "core.aborted",
        name: "AbortError",
      });
      assert.equal(stream.closed, true);
    }
  });

  it("core.operation_pending for a second read, which does the first no harm", async () => {
    const { stream, peer } = streamWith("");
    const first = readResponse(stream, new FlatBuffer(), new FinalResponseParser());
    const { signal } = new AbortController();
    await assert.rejects(readResponse(stream, new FlatBuffer(), new FinalResponseParser(), { signal }), {
      code: "core.operation_pending",
    });
    assert.throws(() => readResponse(stream, new FlatBuffer(), new FinalResponseParser(), { signal }, assert.fail), {
      code: "core.operation_pending",
    });
    assert.equal(getEventListeners(signal, "abort").length, 0);
    peer.writeSome(bytesOf(head), () => {});
    assert.equal((await first).status, 403);
  });
});
