import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  contentLength,
  hasNoBody,
  isChunked,
  requestDeparture,
  requestFraming,
  responseDeparture,
  responseFraming,
  type Departure,
} from "../../../src/http/messages/framing.ts";
import { Fields, type Body, type FieldsInit } from "../../../src/http/index.ts";

const of = (...lengths: string[]): number | undefined => contentLength(new Fields({ "content-length": lengths }));
const chunkedIn = (...codings: string[]): boolean => isChunked(new Fields({ "transfer-encoding": codings }), 11);

describe("contentLength", () => {
  it("is the number in the header", () => {
    assert.equal(of(), undefined);
    assert.equal(of("0"), 0);
    assert.equal(of("42"), 42);
    assert.equal(of("0042"), 42);
    assert.equal(of("9007199254740991"), Number.MAX_SAFE_INTEGER);
  });

  it("is only digits", () => {
    const bad = ["", "-1", "+1", "1.0", "1e3", "0x10", "1 2", "1,1", "1, 1", "a", "1a", "Infinity", "9007199254740992"];
    for (const value of [...bad, "9".repeat(400)])
      assert.throws(() => of(value), { code: "http.bad_content_length" }, value);
  });

  it("may be there only once, even if all agree", () => {
    assert.throws(() => of("1", "2"), { code: "http.multiple_content_length" });
    assert.throws(() => of("1", "1"), { code: "http.multiple_content_length" });
  });

  it("is refused with Transfer-Encoding, whatever either says", () => {
    for (const [length, coding] of [
      ["0", "chunked"],
      ["5", "identity"],
      ["x", ""],
    ]) {
      const headers = new Fields({ "Content-Length": length, "Transfer-Encoding": coding });
      assert.throws(() => contentLength(headers), { code: "http.bad_transfer_encoding" });
    }
    assert.equal(contentLength(new Fields({ "Transfer-Encoding": "chunked" })), undefined);
  });
});

describe("isChunked", () => {
  it("is true for chunked only, in any case", () => {
    assert.equal(isChunked(new Fields(), 11), false);
    assert.equal(isChunked(new Fields(), 10), false);
    for (const coding of ["chunked", "Chunked", "CHUNKED"]) assert.equal(chunkedIn(coding), true);
  });

  it("distinguishes an unknown coding from an invalid list", () => {
    for (const codings of [["gzip, chunked"], ["gzip", "chunked"], ["gzip,,deflate ,\tChunked"]]) {
      assert.throws(() => chunkedIn(...codings), { code: "http.unknown_transfer_coding" }, String(codings));
    }
    for (const codings of [
      [""],
      [","],
      ["identity"],
      ["gzip"],
      ["chunked, gzip"],
      ["chunked, chunked"],
      ["chunked", "chunked"],
      ["chunked, gzip, chunked"],
      ["chunked,"],
      [", chunked"],
      ["xchunked"],
      ["chunked;a=b"],
      ["gzip chunked"],
      ["\x0cchunked"],
      ["gzip;q=1, chunked"],
    ]) {
      const headers = Fields.fromRaw(codings.flatMap((coding) => ["Transfer-Encoding", coding]));
      assert.throws(() => isChunked(headers, 11), { code: "http.bad_transfer_encoding" }, String(codings));
    }
  });

  it("is refused in HTTP/1.0", () => {
    for (const coding of ["chunked", "gzip, chunked", ""]) {
      const headers = new Fields({ "Transfer-Encoding": coding });
      assert.throws(() => isChunked(headers, 10), { code: "http.bad_transfer_encoding" });
    }
  });
});

const length = (value: string): FieldsInit => ({ "Content-Length": value });
const chunks = { "Transfer-Encoding": "chunked" };

it("a received request without a framing has no body", () => {
  assert.equal(requestFraming(new Fields(), 11), 0);
  assert.equal(requestFraming(new Fields(length("7")), 11), 7);
  assert.equal(requestFraming(new Fields(chunks), 11), "chunked");
  assert.throws(() => requestFraming(new Fields(chunks), 10), { code: "http.bad_transfer_encoding" });
});

it("a received response without a framing ends with the stream, unless it has no body", () => {
  const framing = (init: FieldsInit, status = 200, method = "GET"): unknown =>
    responseFraming(new Fields(init), 11, status, method);
  assert.equal(framing({}), "eof");
  assert.equal(framing(length("7")), 7);
  assert.equal(framing(chunks), "chunked");
  for (const init of [{}, length("7"), chunks, { "Transfer-Encoding": "gzip" }]) {
    for (const status of [100, 101, 199, 204, 304]) assert.equal(framing(init, status), 0);
    assert.equal(framing(init, 404, "HEAD"), 0);
    assert.equal(framing(init, 200, "CONNECT"), 0);
    assert.equal(framing(init, 299, "CONNECT"), 0);
  }
  assert.equal(framing(length("7"), 300, "CONNECT"), 7);
  assert.equal(framing(length("7"), 200, "head"), 7);
  // RFC 9110 9.3.6, RFC 9112 6.3: whatever the headers say.
  for (const init of [
    { "Content-Length": ["5", "5"] },
    { "Content-Length": ["5", "6"] },
    ...["x", "", "-1", "9007199254740992"].map(length),
    { ...chunks, ...length("1") },
    { "Transfer-Encoding": ["gzip", "chunked", "x y"] },
  ]) {
    for (const status of [100, 101, 204, 304]) assert.equal(framing(init, status), 0);
    for (const method of ["HEAD", "CONNECT"]) assert.equal(framing(init, 200, method), 0);
    assert.throws(() => framing(init), { condition: "protocol_violation" });
    assert.throws(() => framing(init, 407, "CONNECT"), { condition: "protocol_violation" });
  }
  assert.deepEqual([hasNoBody(200, "GET"), hasNoBody(200, "HEAD"), hasNoBody(304, "GET")], [false, true, true]);
});

/** What is to be sent, in short: method or status, fields, body, version. */
interface Sent {
  headers?: FieldsInit;
  body?: Body;
  version?: number;
}

const noBytes = new Uint8Array(0);
const bytes = new Uint8Array(3);
const parts = (size?: number): Body => ({ size, async *[Symbol.asyncIterator]() {} });
const parts3 = parts(3);
const added = (framing: Departure["framing"], add: "Content-Length" | "Transfer-Encoding"): Departure => ({
  framing,
  add,
});
const message = ({ headers, body = noBytes, version = 11 }: Sent) => ({ headers: new Fields(headers), body, version });

describe("requestDeparture", () => {
  const departure = (method: string, sent: Sent): Departure => requestDeparture(method, message(sent));

  it("adds the framing that the body needs", () => {
    for (const [method, sent, expected] of [
      ["GET", {}, { framing: 0 }],
      ["DELETE", {}, { framing: 0 }],
      ["TRACE", {}, { framing: 0 }],
      ["POST", {}, added(0, "Content-Length")],
      ["PUT", {}, added(0, "Content-Length")],
      ["PATCH", { version: 10 }, added(0, "Content-Length")],
      ["GET", { body: bytes }, added(3, "Content-Length")],
      ["GET", { body: parts3, version: 10 }, added(3, "Content-Length")],
      ["POST", { body: parts() }, added("chunked", "Transfer-Encoding")],
    ] as [string, Sent, Departure][]) {
      assert.deepEqual(departure(method, sent), expected);
    }
  });

  it("keeps a given framing that is right", () => {
    assert.deepEqual(departure("GET", { headers: length("0") }), { framing: 0 });
    assert.deepEqual(departure("POST", { headers: length("003"), body: bytes }), { framing: 3 });
    assert.deepEqual(departure("POST", { headers: length("9"), body: parts(), version: 10 }), { framing: 9 });
    for (const body of [noBytes, bytes, parts3, parts()]) {
      assert.deepEqual(departure("GET", { headers: chunks, body }), { framing: "chunked" });
    }
  });

  it("refuses a wrong one, and a body that can't be sent", () => {
    for (const [code, method, sent] of [
      ["http.bad_content_length", "GET", { headers: length("2"), body: bytes }],
      ["http.bad_content_length", "GET", { headers: length("3"), body: parts(4) }],
      ["http.bad_content_length", "GET", { headers: length("x"), body: parts() }],
      ["http.multiple_content_length", "GET", { headers: { "Content-Length": ["3", "3"] }, body: bytes }],
      ["http.bad_transfer_encoding", "GET", { headers: { ...chunks, ...length("3") }, body: bytes }],
      ["http.bad_transfer_encoding", "GET", { headers: chunks, body: bytes, version: 10 }],
      ["http.unknown_transfer_coding", "GET", { headers: { "Transfer-Encoding": "gzip, chunked" }, body: bytes }],
      ["core.invalid_argument", "POST", { body: parts(), version: 10 }],
      ["core.invalid_argument", "TRACE", { body: bytes }],
      ["core.invalid_argument", "TRACE", { body: parts() }],
    ] as [string, string, Sent][]) {
      assert.throws(() => departure(method, sent), { code }, `${code} ${method}`);
    }
  });
});

describe("responseDeparture", () => {
  const departure = (status: number, sent: Sent, method = "GET", version = 11): Departure =>
    responseDeparture(status, message(sent), { method, version });

  it("adds the framing that the body needs, and none without a body by status or method", () => {
    for (const [expected, ...args] of [
      [added(0, "Content-Length"), 200, {}],
      [added(3, "Content-Length"), 404, { body: bytes }],
      [added(3, "Content-Length"), 200, { body: parts3 }, "GET", 10],
      [added("chunked", "Transfer-Encoding"), 200, { body: parts() }],
      [{ framing: "eof" }, 200, { body: parts() }, "GET", 10],
      [{ framing: 0 }, 100, {}],
      [{ framing: 0 }, 101, {}],
      [{ framing: 0 }, 204, {}],
      [{ framing: 0 }, 304, {}],
      [{ framing: 0 }, 304, { headers: length("7") }],
      [{ framing: 0 }, 304, { headers: chunks }],
      [added(3, "Content-Length"), 200, { body: bytes }, "HEAD"],
      [added(0, "Transfer-Encoding"), 200, { body: parts() }, "HEAD"],
      [{ framing: 0 }, 200, { headers: length("7") }, "HEAD"],
      [{ framing: 0 }, 200, { headers: length("7"), body: bytes }, "HEAD"],
      [{ framing: 0 }, 200, {}, "CONNECT"],
      [added(3, "Content-Length"), 407, { body: bytes }, "CONNECT"],
    ] as [Departure, number, Sent, string?, number?][]) {
      assert.deepEqual(departure(...args), expected, JSON.stringify(args));
    }
  });

  it("keeps a given framing that is right", () => {
    assert.deepEqual(departure(200, { headers: length("3"), body: bytes }), { framing: 3 });
    assert.deepEqual(departure(200, { headers: length("9"), body: parts() }, "GET", 10), { framing: 9 });
    assert.deepEqual(departure(200, { headers: chunks, body: bytes }), { framing: "chunked" });
  });

  it("refuses a wrong one, and a body that can't be sent", () => {
    for (const [code, ...args] of [
      ["http.bad_content_length", 200, { headers: length("2"), body: bytes }],
      ["http.bad_content_length", 204, { headers: length("0") }],
      ["http.bad_content_length", 101, { headers: length("0") }],
      ["http.bad_content_length", 200, { headers: length("0") }, "CONNECT"],
      ["http.bad_content_length", 304, { headers: length("x") }],
      ["http.bad_content_length", 200, { headers: length("x") }, "HEAD"],
      ["http.multiple_content_length", 200, { headers: { "Content-Length": ["0", "0"] } }],
      ["http.bad_transfer_encoding", 204, { headers: chunks }],
      ["http.bad_transfer_encoding", 200, { headers: chunks }, "CONNECT"],
      ["http.bad_transfer_encoding", 200, { headers: chunks }, "GET", 10],
      ["http.bad_transfer_encoding", 200, { headers: { ...chunks, ...length("0") } }],
      ["http.bad_transfer_encoding", 200, { headers: { "Transfer-Encoding": "identity" } }, "HEAD"],
      ["core.invalid_argument", 204, { body: bytes }],
      ["core.invalid_argument", 304, { body: parts() }],
      ["core.invalid_argument", 101, { body: bytes }],
      ["core.invalid_argument", 200, { body: bytes }, "CONNECT"],
    ] as [string, number, Sent, string?, number?][]) {
      assert.throws(() => departure(...args), { code }, JSON.stringify([code, ...args]));
    }
  });
});

it("a body with an invalid size can't be sent", () => {
  for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53, "3", "0\r\nSet-Cookie: a=b", null, {}]) {
    const body = parts(size as number);
    const code = "core.invalid_argument";
    assert.throws(() => requestDeparture("POST", message({ body })), { code }, String(size));
    assert.throws(
      () => responseDeparture(200, message({ body }), { method: "GET", version: 11 }),
      { code },
      String(size),
    );
    assert.throws(
      () => responseDeparture(200, message({ body }), { method: "HEAD", version: 11 }),
      { code },
      String(size),
    );
  }
});
