import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { FlatBuffer, type ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { read, readHeader, RequestParser, ResponseParser, type Request } from "../../../src/http/index.ts";
import { pair, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { bytesOf, chrome } from "../support/samples.ts";

const head = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n";

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
  parser: RequestParser,
  signal?: AbortSignal,
): Promise<{ error: ServalError | undefined; request: Request | undefined }> {
  return new Promise((resolve, reject) => {
    let inside = true;
    let runs = 0;
    read(stream, buffer, parser, signal && { signal }, (error, request) => {
      if (inside || ++runs > 1) reject(new Error("inside the call, or twice"));
      resolve({ error, request });
    });
    inside = false;
  });
}

describe("read", () => {
  for (const [name, maxRead] of [
    ["whole", Infinity],
    ["byte by byte", 1],
    ["in reads of 7", 7],
  ] as const) {
    for (const trailer of ["", "\x81\x02hi", "GET /c HTTP/1.1\r\n\r\n"]) {
      it(`a request ${name}, split anywhere between buffer and stream, with ${JSON.stringify(trailer)} behind`, async () => {
        const all = head + trailer;
        for (let at = 0; at <= all.length; at++) {
          const buffer = bufferWith(all.slice(0, at));
          const { stream, peer } = streamWith(all.slice(at), { maxRead });
          const request = await read(stream, buffer, new RequestParser());
          assert.equal(request.target, "/a");
          assert.deepEqual(request.fields.raw, ["Host", "b"]);
          assert.equal(stream.reading, false);
          assert.equal(await rest(buffer, stream, peer), trailer);
        }
      });
    }
  }

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

  it("never completes inside the call, and leaves the stream alone where the buffer is enough", async () => {
    const { stream } = streamWith("");
    const { request } = await readOnce(stream, bufferWith(head), new RequestParser());
    assert.equal(request?.target, "/a");
    assert.equal((await readOnce(stream, bufferWith("\0"), new RequestParser())).error?.code, "http.bad_method");
    assert.equal(stream.operations, 0);
  });

  it("takes its handler with and without options before it", async () => {
    for (const options of [undefined, {}]) {
      const { stream } = streamWith(head);
      const target = await new Promise((resolve) => {
        const handler = (_: unknown, request: Request): void => resolve(request.target);
        if (options === undefined) read(stream, new FlatBuffer(), new RequestParser(), handler);
        else read(stream, new FlatBuffer(), new RequestParser(), options, handler);
      });
      assert.equal(target, "/a");
    }
  });

  it("takes no memory for a request that comes in one piece", async () => {
    const { stream } = streamWith(chrome);
    const buffer = new FlatBuffer();
    await read(stream, buffer, new RequestParser());
    assert.equal(buffer.capacity, 0);
  });

  it("keeps the request whole when the borrowed bytes are gone", async () => {
    const { stream } = streamWith(chrome);
    const request = await read(stream, new FlatBuffer(), new RequestParser());
    await Promise.resolve();
    assert.equal(request.fields.get("Host"), "localhost:8080");
  });

  it("goes on with a parser that has seen what is in the buffer", async () => {
    const parser = new RequestParser();
    const buffer = bufferWith(head.slice(0, 9));
    parser.put(buffer.data());
    const { stream } = streamWith(head.slice(9));
    assert.equal((await read(stream, buffer, parser)).target, "/a");
  });
});

describe("read of a message with a body", () => {
  const messages: [name: string, text: string, body: string][] = [
    ["none", "POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n", ""],
    ["a length", "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "hello"],
    [
      "chunks",
      "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nT: x\r\n\r\n",
      "hello",
    ],
  ];
  for (const [name, text, body] of messages) {
    it(`${name}: whole, in pieces, split anywhere between buffer and stream; what is behind stays`, async () => {
      for (const behind of ["", "\x81\x02hi"]) {
        for (const maxRead of [1, 7, Infinity]) {
          for (let at = 0; at <= text.length; at++) {
            const { stream, peer } = streamWith(text.slice(at) + behind, { maxRead });
            const buffer = bufferWith(text.slice(0, at));
            const parser = new RequestParser();
            const { error, request } = await readOnce(stream, buffer, parser);
            assert.equal(error, undefined);
            assert.equal(decodeLatin1(request!.body as Uint8Array), body);
            assert.equal(parser.trailer.get("t"), name === "chunks" ? "x" : undefined);
            assert.equal(await rest(buffer, stream, peer), behind);
          }
        }
      }
    });

    it(`${name}: the n-th operation fails, for every n`, async () => {
      for (let n = 0; n <= text.length; n++) {
        const { stream } = streamWith(text, { maxRead: 1, failAfter: n });
        const { error } = await readOnce(stream, new FlatBuffer(), new RequestParser());
        assert.equal(error?.code, n < text.length ? "testing.failure" : undefined);
      }
    });

    it(`${name}: http.partial_message where the stream ends inside`, async () => {
      for (let at = 1; at < text.length; at++) {
        const { stream, peer } = streamWith(text.slice(0, at));
        peer.end();
        await assert.rejects(read(stream, new FlatBuffer(), new RequestParser()), { code: "http.partial_message" });
      }
    });
  }

  it("that ends with the stream", async () => {
    const { stream, peer } = streamWith("HTTP/1.1 200 OK\r\n\r\nhello", { maxRead: 3 });
    peer.end();
    const response = await read(stream, new FlatBuffer(), new ResponseParser());
    assert.equal(decodeLatin1(response.body), "hello");
  });

  it("gives what is left of it behind readHeader and readSome, and a body of its own", async () => {
    const { stream } = streamWith(messages[1]![1], { maxRead: 7 });
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    const whole = await read(stream, buffer, parser);
    assert.equal(whole.body.length, 5);
    assert.equal(decodeLatin1(whole.body), "hello");
  });

  it("gives a message once: who goes on with its parser would be given it for ever", async () => {
    const { stream } = streamWith(messages[1]![1] + messages[1]![1]);
    const buffer = new FlatBuffer();
    const parser = new RequestParser();
    await readHeader(stream, buffer, parser);
    await assert.rejects(readHeader(stream, buffer, parser), { code: "http.stale_parser" });
    await read(stream, buffer, parser);
    await assert.rejects(read(stream, buffer, parser), { code: "http.stale_parser" });
    assert.equal(decodeLatin1((await read(stream, buffer, new RequestParser())).body), "hello");
  });

  it("says what it takes", async () => {
    const { stream } = streamWith("");
    const noBuffer = Buffer.alloc(10) as unknown as FlatBuffer;
    await assert.rejects(read(stream, noBuffer, new RequestParser()), { message: /core.FlatBuffer/ });
    const signal = new AbortController() as unknown as AbortSignal;
    const reading = read(stream, new FlatBuffer(), new RequestParser(), { signal });
    await assert.rejects(reading, { code: "core.invalid_argument", message: /AbortSignal/ });
  });

  it("a random mix of sizes comes to the same", async () => {
    const body = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(i % 256)).join("");
    for (let round = 0; round < 50; round++) {
      const size = (): number => 1 + Math.floor(Math.random() * 500);
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
  it("when the stream ends: http.end_of_stream before a message, http.partial_message inside", async () => {
    for (let at = 0; at < head.length; at++) {
      for (const inBuffer of [0, at >> 1, at]) {
        const { stream, peer } = streamWith(head.slice(inBuffer, at));
        peer.end();
        await assert.rejects(read(stream, bufferWith(head.slice(0, inBuffer)), new RequestParser()), {
          code: at === 0 ? "http.end_of_stream" : "http.partial_message",
        });
      }
    }
    const { stream, peer } = streamWith("\r\n");
    peer.end();
    await assert.rejects(read(stream, new FlatBuffer(), new RequestParser()), { code: "http.end_of_stream" });
  });

  it("when the head is bad, without waiting for more", async () => {
    for (const [text, code] of [
      ["\x16\x03\x01", "http.bad_method"],
      ["GET / HTTP/2", "http.bad_version"],
      [`${head.slice(0, -2)} `, "http.bad_obs_fold"],
    ] as const) {
      for (let at = 0; at <= text.length; at++) {
        const { stream } = streamWith(text.slice(at), { maxRead: 2 });
        const { error, request } = await readOnce(stream, bufferWith(text.slice(0, at)), new RequestParser());
        assert.equal(error?.code, code);
        assert.equal(request, undefined);
      }
    }
  });

  it("when the head is too large: exactly the limit passes; no more is held than the limit and one read", async () => {
    const maxHeaderSize = 1000;
    const fits = `GET /${"a".repeat(maxHeaderSize - "GET / HTTP/1.1\r\n\r\n".length)} HTTP/1.1\r\n\r\n`;
    for (const maxRead of [1, 999, 60_000]) {
      const buffer = new FlatBuffer();
      const { stream } = streamWith(fits + "x".repeat(50_000), { maxRead });
      await read(stream, buffer, new RequestParser({ maxHeaderSize }));
      assert.ok(buffer.size < maxRead);

      const long = new FlatBuffer();
      const { stream: other } = streamWith("x".repeat(60_000), { maxRead });
      await assert.rejects(read(other, long, new RequestParser({ maxHeaderSize })), { code: "http.header_limit" });
      assert.ok(long.size < maxHeaderSize + maxRead);
      assert.ok(other.operations <= Math.ceil(maxHeaderSize / maxRead));
    }
  });

  it("when the buffer's maxSize is too small", async () => {
    const { stream } = streamWith(head, { maxRead: 7 });
    await assert.rejects(read(stream, bufferWith("", 10), new RequestParser()), { code: "core.buffer_overflow" });
  });

  it("when the body is bad, or larger than allowed: the head is in the parser", async () => {
    for (const [code, fields, body] of [
      ["http.bad_chunk", "Transfer-Encoding: chunked", "x"],
      ["http.body_limit", "Content-Length: 11", ""],
      ["http.body_limit", "Transfer-Encoding: chunked", "b\r\n"],
      ["http.chunk_extension_limit", "Transfer-Encoding: chunked", `1;${"x".repeat(5000)}`],
    ] as const) {
      for (const maxRead of [1, Infinity]) {
        const parser = new RequestParser({ maxBodySize: 10 });
        const { stream } = streamWith(`POST /a HTTP/1.1\r\n${fields}\r\n\r\n${body}`, { maxRead });
        const { error, request } = await readOnce(stream, new FlatBuffer(), parser);
        assert.deepEqual([error?.code, request, parser.request?.method], [code, undefined, "POST"]);
      }
    }
  });

  it("of the stream's own, for the n-th operation that fails, for every n", async () => {
    for (let n = 0; n <= head.length; n++) {
      const controller = new AbortController();
      const { stream } = streamWith(head, { maxRead: 1, failAfter: n });
      const { error, request } = await readOnce(stream, new FlatBuffer(), new RequestParser(), controller.signal);
      if (n < head.length) assert.equal(error?.code, "testing.failure");
      else assert.equal(request?.target, "/a");
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
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
    const { error } = await readOnce(stream, new FlatBuffer(), new RequestParser());
    assert.equal(error?.code, "core.transport");
    assert.match(String(error?.cause), /no$/);
  });

  it("core.aborted, wherever the signal fires, and closes the stream", async () => {
    let finished = 0;
    for (let turns = 0; turns < 200 && finished < 3; turns++) {
      for (const inBuffer of [0, 5, head.length]) {
        const controller = new AbortController();
        const { signal } = controller;
        const { stream } = streamWith(head.slice(inBuffer), { maxRead: 3 });
        const outcome = readOnce(stream, bufferWith(head.slice(0, inBuffer)), new RequestParser(), signal);
        let done = false;
        void outcome.then(() => (done = true));
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        if (done) finished++;
        const inTime = getEventListeners(signal, "abort").length > 0;
        controller.abort("enough");
        const { error, request } = await outcome;
        assert.equal(error?.code, inTime ? "core.aborted" : undefined);
        assert.equal(error?.cause, inTime ? "enough" : undefined);
        assert.equal(request?.target, inTime ? undefined : "/a");
        assert.equal(stream.closed, inTime);
        assert.equal(getEventListeners(signal, "abort").length, 0);
      }
    }
    assert.equal(finished, 3);
  });

  it("core.aborted where the signal has fired before", async () => {
    for (const inBuffer of ["", head]) {
      const { stream } = streamWith(head);
      await assert.rejects(read(stream, bufferWith(inBuffer), new RequestParser(), { signal: AbortSignal.abort() }), {
        code: "core.aborted",
        name: "AbortError",
      });
      assert.equal(stream.closed, true);
    }
  });

  it("core.operation_pending for a second read, which does the first no harm", async () => {
    const { stream, peer } = streamWith("");
    const first = read(stream, new FlatBuffer(), new RequestParser());
    const { signal } = new AbortController();
    await assert.rejects(read(stream, new FlatBuffer(), new RequestParser(), { signal }), {
      code: "core.operation_pending",
    });
    assert.throws(() => read(stream, new FlatBuffer(), new RequestParser(), { signal }, assert.fail), {
      code: "core.operation_pending",
    });
    assert.equal(getEventListeners(signal, "abort").length, 0);
    peer.writeSome(bytesOf(head), () => {});
    assert.equal((await first).target, "/a");
  });
});
