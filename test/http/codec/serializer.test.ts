import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1 } from "../../../src/core/text.ts";
import {
  Fields,
  Request,
  Response,
  serialize,
  serializeHead,
  Serializer,
  type Body,
  type RequestInit,
  type ResponseInit,
  type SerializerOptions,
} from "../../../src/http/index.ts";
import { bytesOf } from "../support/samples.ts";

const text = (buffers: readonly Uint8Array[]): string => buffers.map((buffer) => decodeLatin1(buffer)).join("");
const head = (init: ResponseInit<Body>, options?: SerializerOptions): string =>
  decodeLatin1(serializeHead(new Response<Body>(init), options));
const request = (init: RequestInit): string => decodeLatin1(serializeHead(new Request(init)));

/** A body in parts, of which none is given. */
const parts = (size?: number): Body => ({ size, async *[Symbol.asyncIterator]() {} });
const body = Uint8Array.of(0x61, 0xff);

/** All that a serializer has, written so many bytes at a time. */
function drain(serializer: Serializer, atOnce = Infinity): string {
  let written = "";
  for (let next = text(serializer.next()); next !== ""; next = text(serializer.next())) {
    assert.ok(serializer.next().every((buffer) => buffer.length > 0));
    const some = next.slice(0, atOnce);
    written += some;
    serializer.consume(some.length);
  }
  return written;
}

describe("serializeHead", () => {
  it("writes a status, headers in order, and the framing of the body", () => {
    for (const [init, expected] of [
      [
        { status: 404, headers: { B: ["1", "2"], a: "" }, body },
        "404 Not Found\r\nB: 1\r\nB: 2\r\na: \r\nContent-Length: 2",
      ],
      [{}, "200 OK\r\nContent-Length: 0"],
      [{ status: 599, version: 10 }, "599 \r\nContent-Length: 0"],
      [{ body: parts() }, "200 OK\r\nTransfer-Encoding: chunked"],
      [{ body: parts(7) }, "200 OK\r\nContent-Length: 7"],
      [{ headers: { "content-length": "2" }, body }, "200 OK\r\ncontent-length: 2"],
      [{ headers: { "transfer-encoding": "Chunked" }, body }, "200 OK\r\ntransfer-encoding: Chunked"],
      [{ status: 101 }, "101 Switching Protocols"],
      [{ status: 204 }, "204 No Content"],
      [{ status: 304, headers: { "Content-Length": "7" } }, "304 Not Modified\r\nContent-Length: 7"],
    ] as [ResponseInit<Body>, string][]) {
      assert.equal(head(init), `HTTP/1.1 ${expected}\r\n\r\n`);
    }
  });

  it("writes method, target and version of a request", () => {
    for (const [init, expected] of [
      [{}, "GET / HTTP/1.1"],
      [{ method: "CONNECT", target: "a:80", headers: { Host: "a:80" } }, "CONNECT a:80 HTTP/1.1\r\nHost: a:80"],
      [{ method: "POST", version: 10 }, "POST / HTTP/1.0\r\nContent-Length: 0"],
      [{ method: "m-Search~1", body: "ab" }, "m-Search~1 / HTTP/1.1\r\nContent-Length: 2"],
      [{ body: parts() }, "GET / HTTP/1.1\r\nTransfer-Encoding: chunked"],
    ] as [RequestInit, string][]) {
      assert.equal(request(init), `${expected}\r\n\r\n`);
    }
  });

  it("frames the responses to HEAD, to HTTP/1.0 and to CONNECT", () => {
    const to = (method: string, version = 11): SerializerOptions => ({ request: { method, version } });
    assert.equal(head({ body }, to("HEAD")), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert.equal(
      head({ headers: { "Content-Length": "7" } }, to("HEAD")),
      "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
    );
    assert.equal(head({ body: parts() }, to("HEAD")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert.equal(head({ body: parts() }, to("GET", 10)), "HTTP/1.1 200 OK\r\n\r\n");
    assert.equal(head({}, to("CONNECT")), "HTTP/1.1 200 OK\r\n\r\n");
  });

  it("adds Connection if it is missing", () => {
    const says = (keepAlive: boolean, version: number, connection?: string, body?: Body): string | undefined => {
      const headers = connection === undefined ? {} : { Connection: connection };
      const written = head({ headers, ...(body && { body }) }, { keepAlive, request: { method: "GET", version } });
      return written.match(/^Connection: .*$/gm)?.join();
    };
    assert.equal(says(true, 11), undefined);
    assert.equal(says(false, 11), "Connection: close");
    assert.equal(says(true, 10), "Connection: keep-alive");
    assert.equal(says(false, 10), "Connection: close");
    assert.equal(says(false, 11, "x, Close"), "Connection: x, Close");
    assert.equal(says(false, 11, "upgrade"), "Connection: upgrade,Connection: close");
    assert.equal(says(true, 10, "Keep-Alive"), "Connection: Keep-Alive");
    // A body that ends with the connection does not leave it.
    assert.equal(says(true, 10, undefined, parts()), "Connection: close");
  });
});

describe("nothing can break out of the head, a chunk's line or the trailer", () => {
  const breaks = ["a\r\n\r\nHTTP/1.1 200 OK", "\n", "\r", "\0", "\x7f", "\x1b[0m", "\u010a", "\u010d\u010a"];
  /** A message that no constructor lets through. */
  const forged = <Message extends object>(message: Message, init: object): Message =>
    Object.assign(Object.create(Object.getPrototypeOf(message)), message, init);
  /** What is no text, and becomes one only when it is written. */
  const late = (text: string): string => ({ toString: () => text }) as unknown as string;
  const bad = [...breaks, ...breaks.map(late)];

  it("through a field, set in any way", () => {
    for (const text of bad) {
      for (const headers of [Fields.fromRaw(["A", text]), Fields.fromRaw(["a", "b", "A", text])]) {
        assert.throws(() => head({ headers }), { code: "http.bad_value" });
        assert.throws(() => request({ headers }), { code: "http.bad_value" });
      }
      assert.throws(() => head({ headers: Fields.fromRaw([text, "a"]) }), { code: "http.bad_field" });
      // Handed out, and changed.
      const response = new Response({ headers: { A: "b" } });
      (response.headers.raw as string[])[1] = text;
      assert.throws(() => serializeHead(response), { code: "http.bad_value" });
      const parsed = new Request({ headers: { A: "b" } });
      const raw = parsed.headers.raw as string[];
      parsed.headers.set("C", "d");
      raw.push(text, "e");
      assert.throws(() => serializeHead(parsed), { code: "http.bad_field" });
      assert.throws(() => serializeHead(new Request({ headers: parsed.headers })), { code: "http.bad_field" });
    }
    for (const name of ["", "A: b", "a b", "\xe9"]) {
      assert.throws(() => head({ headers: Fields.fromRaw([name, "c"]) }), { code: "http.bad_field" });
    }
  });

  it("through a reason, a status, a method, a target or a version", () => {
    for (const text of bad) {
      assert.throws(() => serializeHead(forged(new Response(), { reason: text })), { code: "http.bad_reason" });
      assert.throws(() => serializeHead(forged(new Response(), { status: text })), { code: "http.bad_status" });
      for (const make of [(init: object) => forged(new Request(), init), (init: object) => new Request(init)]) {
        assert.throws(() => serializeHead(make({ method: text })), { code: "http.bad_method" });
        assert.throws(() => serializeHead(make({ target: text })), { code: "http.bad_target" });
        assert.throws(() => serializeHead(make({ version: text })), { code: "http.bad_version" });
      }
    }
    for (const text of ["", " ", "a b", "\t", "\xe9", "\u0147"]) {
      assert.throws(() => request({ method: text }), { code: "http.bad_method" });
      assert.throws(() => request({ target: text }), { code: "http.bad_target" });
    }
    assert.throws(() => request({ method: "GE(" }), { code: "http.bad_method" });
    for (const version of [0, 9, 12, 20, NaN]) assert.throws(() => request({ version }), { code: "http.bad_version" });
    assert.throws(() => serializeHead(forged(new Response(), { status: 1000 })), { code: "http.bad_status" });
  });

  it("through an extension or the trailer", () => {
    for (const text of bad) {
      const serializer = new Serializer(new Response<Body>({ body: parts() }));
      const before = drain(serializer);
      for (const extensions of [[["a", text]], [[text]]] as [string, string?][][]) {
        assert.throws(() => serializer.put(body, extensions), { code: "http.bad_chunk_extension" });
        assert.throws(() => serializer.put(bytesOf(""), extensions), { code: "http.bad_chunk_extension" });
        assert.throws(() => serializer.end(undefined, extensions), { code: "http.bad_chunk_extension" });
      }
      assert.throws(() => serializer.end(Fields.fromRaw(["a", text])), { code: "http.bad_value" });
      assert.throws(() => serializer.end(Fields.fromRaw([text, "a"])), { code: "http.bad_field" });
      assert.deepEqual([before.slice(-4), serializer.needsBody, serializer.next()], ["\r\n\r\n", true, []]);
    }
    const serializer = new Serializer(new Response<Body>({ body: parts() }));
    for (const name of ["Content-Length", "transfer-encoding", "Host", "TRAILER"]) {
      assert.throws(() => serializer.end(new Fields({ [name]: "1" })), { code: "http.bad_trailer" });
    }
  });
});

describe("Serializer", () => {
  const message = (): Response<Body> => new Response<Body>({ body });
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na\xff";

  it("returns head and body together, and only once", () => {
    const serializer = new Serializer(message());
    assert.deepEqual([serializer.isHeaderDone, serializer.isDone, serializer.needsBody], [false, false, false]);
    const next = serializer.next();
    assert.equal(text(next), whole);
    assert.equal(next[1], body);
    assert.equal(serializer.next(), next);
    serializer.consume(whole.length);
    assert.deepEqual([serializer.isHeaderDone, serializer.isDone, serializer.next()], [true, true, []]);
  });

  it("returns them separately with split", () => {
    const serializer = new Serializer(message(), { split: true });
    const size = whole.length - 2;
    assert.equal(text(serializer.next()), whole.slice(0, size));
    serializer.consume(5);
    assert.equal(text(serializer.next()), whole.slice(5, size));
    assert.equal(serializer.isHeaderDone, false);
    serializer.consume(size - 5);
    assert.equal(serializer.isHeaderDone, true);
    assert.equal(text(serializer.next()), "a\xff");
    const together = new Serializer(message(), { split: true });
    together.split = false;
    assert.equal(text(together.next()), whole);
  });

  it("returns no more than the limit, which may change, and continues after any cut", () => {
    for (let limit = 1; limit <= whole.length + 1; limit++) {
      for (const split of [false, true]) {
        for (const atOnce of [1, 3, Infinity]) {
          const serializer = new Serializer(message(), { limit, split });
          assert.equal(text(serializer.next()).length, Math.min(limit, split ? whole.length - 2 : whole.length));
          assert.equal(drain(serializer, atOnce), whole);
          assert.equal(serializer.isDone, true);
        }
      }
    }
    const serializer = new Serializer(message(), { limit: 3 });
    serializer.limit = 7;
    assert.equal(text(serializer.next()), whole.slice(0, 7));
  });

  it("makes a chunk of each part, with its extensions, and writes the trailer after the last", () => {
    const source = parts();
    const serializer = new Serializer(new Response<Body>({ body: source }));
    assert.equal(serializer.source, source);
    const written = drain(serializer);
    assert.equal(written, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert.deepEqual([serializer.needsBody, serializer.isDone], [true, false]);
    serializer.put(bytesOf("a".repeat(26)), [["b"], ["c", 'd "']]);
    assert.equal(serializer.needsBody, false);
    serializer.put(bytesOf("e"));
    serializer.put(bytesOf(""), [["f"]]);
    assert.equal(drain(serializer, 2), `1a;b;c="d \\""\r\n${"a".repeat(26)}\r\n1\r\ne\r\n`);
    serializer.end(
      new Fields([
        ["g", "h"],
        ["G", ""],
      ]),
      [["i"]],
    );
    assert.deepEqual([serializer.source, serializer.isDone], [undefined, false]);
    assert.equal(drain(serializer), "0;i\r\ng: h\r\nG: \r\n\r\n");
    assert.deepEqual([serializer.isDone, serializer.needsBody, serializer.needsEof], [true, false, false]);
  });

  it("makes one chunk of a body of bytes, and none of an empty one", () => {
    const headers = { "Transfer-Encoding": "chunked" };
    assert.equal(drain(new Serializer(new Response({ headers, body }))).split("\r\n\r\n")[1], "2\r\na\xff\r\n0");
    assert.equal(drain(new Serializer(new Response({ headers }))).split("\r\n\r\n")[1], "0");
  });

  it("takes exactly as many bytes as were announced", () => {
    for (const init of [{ body: parts(3) }, { body: parts(), headers: { "Content-Length": "3" } }]) {
      const serializer = new Serializer(new Response<Body>(init));
      serializer.put(bytesOf("a"));
      assert.throws(() => serializer.put(bytesOf("bcd")), { code: "http.bad_content_length" });
      assert.throws(() => serializer.end(), { code: "http.bad_content_length" });
      serializer.put(bytesOf("bc"));
      assert.throws(() => serializer.put(bytesOf("d")), { code: "http.bad_content_length" });
      serializer.end(new Fields({ left: "out" }));
      assert.equal(drain(serializer), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
      assert.equal(serializer.isDone, true);
    }
  });

  it("ends with the connection for HTTP/1.0 if the size is unknown", () => {
    const serializer = new Serializer(new Response<Body>({ body: parts() }), {
      request: { method: "GET", version: 10 },
    });
    assert.equal(serializer.needsEof, true);
    serializer.put(bytesOf("ab"));
    serializer.put(bytesOf("c"));
    serializer.end();
    assert.equal(drain(serializer), "HTTP/1.1 200 OK\r\n\r\nabc");
  });

  it("sends no body in response to HEAD, and does not ask for one", () => {
    const request = { method: "HEAD", version: 11 };
    const bytes = new Serializer(new Response({ body }), { request });
    assert.equal(drain(bytes), whole.slice(0, -2));
    assert.deepEqual([bytes.isDone, bytes.unwanted], [true, undefined]);
    for (const source of [parts(), parts(5)]) {
      const serializer = new Serializer(new Response<Body>({ body: source }), { request });
      assert.deepEqual([serializer.source, serializer.unwanted], [undefined, source]);
      assert.match(drain(serializer), /\r\n\r\n$/);
      assert.equal(serializer.isDone, true);
    }
  });

  it("leaves a streamed body alone if none is to be sent", () => {
    const source = parts(0);
    const serializer = new Serializer(new Request({ method: "PUT", body: source }));
    assert.deepEqual([serializer.source, serializer.unwanted], [undefined, source]);
    assert.equal(drain(serializer), "PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  });

  it("takes nothing after the end, and no extensions without chunks", () => {
    const serializer = new Serializer(message());
    for (const act of [() => serializer.put(body), () => serializer.end()]) {
      assert.throws(act, { code: "core.invalid_argument", condition: "misuse" });
    }
    const plain = new Serializer(new Response<Body>({ body: parts(2) }));
    assert.throws(() => plain.put(body, [["a"]]), { code: "core.invalid_argument" });
  });

  it("adds field lines of the server to the head", () => {
    const written = head({}, { more: "Date: now\r\n", keepAlive: false });
    assert.equal(written, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const serializer = new Serializer(new Response(), { more: "Date: now\r\n", keepAlive: false });
    assert.equal(drain(serializer), written.replace(/\r\n$/, "Date: now\r\n\r\n"));
  });
});

describe("serialize", () => {
  it("returns head and body in a new buffer", () => {
    const response = new Response({ body });
    const bytes = serialize(response);
    assert.equal(decodeLatin1(bytes), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na\xff");
    bytes.fill(0);
    assert.deepEqual(response.body, Uint8Array.of(0x61, 0xff));
    const head = serialize(response, { request: { method: "HEAD", version: 11 } });
    assert.equal(decodeLatin1(head), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  });

  it("refuses a streamed body", () => {
    assert.throws(() => serialize(new Request({ body: parts() })), { code: "core.invalid_argument" });
  });
});
