import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { Request, Response, type Body, type FieldsInit } from "../../../src/http/index.ts";

const make = (headers: FieldsInit, version = 11): Request => new Request({ headers, version });
const raw = (message: Request | Response<Body>): string[] => [...message.headers].flat();

/** A body in parts, as many as these. */
const parts = (...all: unknown[]): Body => ({
  async *[Symbol.asyncIterator]() {
    yield* all as Uint8Array[];
  },
});

describe("keepAlive", () => {
  it("follows version and Connection", () => {
    for (const [version, connection, keeps] of [
      [11, [], true],
      [11, ["keep-alive"], true],
      [11, ["x", "Close"], false],
      [11, ["closed"], true],
      [10, [], false],
      [10, ["Keep-Alive"], true],
      [10, ["keep-alive, close"], false],
    ] as const) {
      assert.equal(make({ Connection: connection }, version).keepAlive, keeps, `${version} ${connection.join()}`);
    }
  });

  it("can be set, and keeps other options of Connection", () => {
    for (const [version, connection, keep, expected] of [
      [11, [], true, undefined],
      [11, [], false, "close"],
      [11, ["close"], true, undefined],
      [11, ["Keep-Alive"], false, "close"],
      [11, ["Upgrade", "close, x"], true, "Upgrade, x"],
      [11, ["Upgrade,"], false, "Upgrade, close"],
      [10, [], true, "keep-alive"],
      [10, ["close"], true, "keep-alive"],
      [10, ["keep-alive", "x"], false, "x"],
      [10, ["KEEP-ALIVE"], false, undefined],
    ] as const) {
      const message = make({ Connection: connection, Other: "y" }, version);
      for (let i = 0; i < 2; i++) {
        message.keepAlive = keep;
        assert.equal(message.headers.get("Connection"), expected);
        assert.equal(message.keepAlive, keep);
        assert.equal(message.headers.get("Other"), "y");
      }
    }
  });
});

describe("chunked", () => {
  it("is true if Transfer-Encoding ends with chunked", () => {
    for (const [coding, chunked] of [
      ["chunked", true],
      ["gzip, Chunked", true],
      ["gzip", false],
      ["chunked, gzip", false],
      ["", false],
    ] as const) {
      assert.equal(make({ "Transfer-Encoding": coding }).chunked, chunked, coding);
    }
    assert.equal(make({}).chunked, false);
  });

  it("can be set, and is then the only framing", () => {
    for (const [headers, chunked, expected] of [
      [{}, true, ["Transfer-Encoding", "chunked"]],
      [{ "Content-Length": "5", A: "b" }, true, ["A", "b", "Transfer-Encoding", "chunked"]],
      [{ "Transfer-Encoding": ["gzip", "x"] }, true, ["Transfer-Encoding", "gzip, x, chunked"]],
      [{ "Transfer-Encoding": "chunked", "Content-Length": "5" }, true, ["Transfer-Encoding", "chunked"]],
      [{ "Transfer-Encoding": "chunked", A: "b" }, false, ["A", "b"]],
      [{ "Transfer-Encoding": "gzip, chunked" }, false, ["Transfer-Encoding", "gzip"]],
      [{ "Content-Length": "5" }, false, ["Content-Length", "5"]],
    ] as [FieldsInit, boolean, string[]][]) {
      const message = make(headers);
      for (let i = 0; i < 2; i++) {
        message.chunked = chunked;
        assert.deepEqual([raw(message), message.chunked], [expected, chunked]);
      }
    }
  });
});

describe("contentLength", () => {
  it("is the value of Content-Length, or throws if that is invalid", () => {
    assert.equal(make({}).contentLength, undefined);
    assert.equal(make({ "content-length": "5" }).contentLength, 5);
    for (const [code, headers] of [
      ["http.bad_content_length", { "Content-Length": "5x" }],
      ["http.multiple_content_length", { "Content-Length": ["5", "5"] }],
      ["http.bad_transfer_encoding", { "Content-Length": "5", "Transfer-Encoding": "chunked" }],
    ] as [string, FieldsInit][]) {
      assert.throws(() => make(headers).contentLength, { code });
    }
  });

  it("can be set, and is then the only framing", () => {
    for (const headers of [
      {},
      { "content-length": ["1", "2"] },
      { "Transfer-Encoding": "chunked" },
      { "Transfer-Encoding": "gzip, chunked" },
    ]) {
      const message = make(headers);
      message.contentLength = 5;
      assert.deepEqual([message.headers.size, message.headers.get("Content-Length")], [1, "5"]);
      message.contentLength = 0;
      assert.equal(message.contentLength, 0);
      message.contentLength = undefined;
      assert.equal(message.headers.size, 0);
    }
  });

  it("can't be set to an invalid length", () => {
    const message = make({ "Content-Length": "5" });
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53, "5" as unknown as number]) {
      assert.throws(() => (message.contentLength = length), { code: "core.invalid_argument" });
      assert.deepEqual(raw(message), ["Content-Length", "5"]);
    }
  });
});

describe("preparePayload", () => {
  const wrong = { "Content-Length": "99", "Transfer-Encoding": "gzip", A: "b" };

  it("sets the framing that the body needs, replacing any other", () => {
    for (const [message, framing] of [
      [new Request({ headers: wrong }), []],
      [new Request({ headers: wrong, method: "POST" }), ["Content-Length", "0"]],
      [new Request({ headers: wrong, body: "é" }), ["Content-Length", "2"]],
      [new Request({ headers: wrong, body: parts() }), ["Transfer-Encoding", "chunked"]],
      [
        new Request({ headers: wrong, body: Object.assign(parts(), { size: 7 }), version: 10 }),
        ["Content-Length", "7"],
      ],
      [new Response({ headers: wrong }), ["Content-Length", "0"]],
      [new Response<Body>({ headers: wrong, body: parts() }), ["Transfer-Encoding", "chunked"]],
      [new Response<Body>({ headers: wrong, body: parts(), version: 10 }), []],
      [new Response({ headers: wrong, status: 204 }), []],
      [new Response({ headers: wrong, status: 304 }), []],
    ] as [Request | Response<Body>, string[]][]) {
      for (let i = 0; i < 2; i++) {
        message.preparePayload();
        assert.deepEqual(raw(message), ["A", "b", ...framing]);
      }
    }
  });

  it("throws for a body that is not allowed, or can't be framed", () => {
    for (const message of [
      new Request({ method: "TRACE", body: "a" }),
      new Request({ body: parts(), version: 10 }),
      new Response({ status: 204, body: Uint8Array.of(1) }),
      new Response({ status: 304, body: Uint8Array.of(1) }),
      new Response({ status: 101, body: Uint8Array.of(1) }),
    ]) {
      assert.throws(() => message.preparePayload(), { code: "core.invalid_argument" });
    }
  });
});

describe("bytes and text", () => {
  it("read the whole body", async () => {
    assert.deepEqual(await new Response({ body: "é" }).bytes(), Uint8Array.of(0xc3, 0xa9));
    assert.equal(await new Response({ body: Uint8Array.of(0x61, 0xff) }).text(), "a\ufffd");
    assert.equal(await new Request({ body: parts(Uint8Array.of(0xc3), Uint8Array.of(0xa9)) }).text(), "é");
    assert.equal(await new Request().text(), "");
  });

  it("reject beyond their limit, and with the source's error; without an unhandled rejection", async () => {
    const large = new Request({ body: "hello" });
    await assert.rejects(large.bytes({ maxBodySize: 4 }), { code: "http.body_limit" });
    await assert.rejects(large.text({ maxBodySize: 4 }), { code: "http.body_limit" });
    await assert.rejects(new Request({ body: parts(1) }).text(), { code: "core.invalid_argument" });
    void large.bytes({ maxBodySize: 4 });
    void large.text({ maxBodySize: 4 });
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("console.log", () => {
  const shown = (body: string | Uint8Array): string => inspect(new Response({ body }));

  it("shows a body that is text as text, of a long one the beginning, and other bytes as such", () => {
    assert.match(shown("a\tb\nc\u{1f600}"), /^Response {.* body: 'a\\tb\\nc😀'.*status: 200/s);
    assert.match(shown(`${"a".repeat(999)}\u{1f600}b`), /body: 'a{999}…'/);
    assert.match(shown("a".repeat(1000)), /body: 'a{1000}'/);
    assert.match(shown(Uint8Array.of(0x61, 0xff)), /body: Uint8Array\(2\) \[ 97, 255 \]/);
    assert.match(shown(Uint8Array.of(0x61, 0)), /body: Uint8Array\(2\) \[ 97, 0 \]/);
    assert.match(shown(""), /body: Uint8Array\(0\) \[\]/);
    assert.match(inspect({ a: new Response({ body: "x" }) }, { depth: 0 }), /a: \[Response\]/);
  });
});

describe("parts", () => {
  it("encodes those of a stream of text", async () => {
    async function* events(): AsyncGenerator<string | ArrayBuffer> {
      yield "data: é";
      yield new ArrayBuffer(1);
    }
    const response = new Response({ body: events() });
    const parts: Uint8Array[] = [];
    for await (const part of response.parts()) parts.push(part);
    assert.deepEqual(parts, [new TextEncoder().encode("data: é"), new Uint8Array(1)]);
    assert.equal(await new Response({ body: events() }).text(), "data: é\0");
  });

  it("are iterated over, for any body", async () => {
    const through = async (message: { parts(): AsyncIterable<Uint8Array> }): Promise<string[]> => {
      const gone: string[] = [];
      for await (const part of message.parts()) gone.push(String(Buffer.from(part)));
      return gone;
    };
    assert.deepEqual(await through(new Response({ body: "text" })), ["text"]);
    assert.deepEqual(await through(new Response()), []);
    assert.deepEqual(await through(new Request({ body: parts(Buffer.from("a"), Buffer.from("b")) })), ["a", "b"]);
  });
});

describe("a message made from an invalid value", () => {
  const misuse = (message: RegExp): object => ({ code: "core.invalid_argument", message });
  const constructors: [name: string, make: (init: object) => unknown][] = [
    ["Request", (init) => new Request(init)],
    ["Response", (init) => new Response(init)],
  ];

  for (const [name, make] of constructors) {
    it(`says what to pass instead of ${name}`, () => {
      assert.throws(() => make({ fields: {} }), misuse(/did you mean headers\?$/));
      for (const others of [new globalThis.Request("http://a/"), new globalThis.Response("a")]) {
        assert.throws(() => make(others), misuse(/\.from makes one of fetch's or Node's/));
      }
      assert.throws(() => make("hello" as unknown as object), misuse(/takes a plain object, such as .*, not "hello"$/));
      assert.throws(() => make({ body: Promise.resolve("a") }), misuse(/await the promise first/));
      assert.throws(() => make({ body: { a: 1 } }), misuse(/JSON.stringify/));
      assert.throws(() => make({ body: 5 }), misuse(/not 5/));
    });
  }
});
