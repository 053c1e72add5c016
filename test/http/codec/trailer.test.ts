import assert from "node:assert/strict";
import { it } from "node:test";
import type { BodyStream } from "../../../src/http/messages/body.ts";
import { Fields } from "../../../src/http/messages/fields.ts";
import { isTrailerField, trailerOf, trailersOf } from "../../../src/http/codec/trailer.ts";

it("recognises, in any case, the fields for framing, routing and authentication", () => {
  for (const name of [
    "Content-Length",
    "transfer-encoding",
    "TRAILER",
    "Host",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Upgrade",
    "TE",
    "Expect",
    "Range",
    "Content-Range",
    "Content-Type",
    "Content-Encoding",
    "Cache-Control",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Set-Cookie",
    "Max-Forwards",
  ]) {
    assert.equal(isTrailerField(name), false, name);
  }
  for (const name of ["ETag", "Digest", "Server-Timing", "X-Checksum", "Content", "Hosts", ""]) {
    assert.equal(isTrailerField(name), true, name);
  }
});

it("leaves them out, and keeps the others in order", () => {
  const trailer = trailerOf(["A", "b", "host", "evil", "a", "c", "Content-Length", "1"]);
  assert.deepEqual(
    [...trailer],
    [
      ["A", "b"],
      ["a", "c"],
    ],
  );
  assert.equal(trailerOf([]).size, 0);
});

it("accepts a body's trailers as Fields, pairs or a record, and filters those of Node's messages", () => {
  const body = (more: object): BodyStream => Object.assign((async function* () {})(), more) as BodyStream;
  for (const [more, trailers] of [
    [{}, undefined],
    [{ trailers: { A: "b", C: undefined } }, [["A", "b"]]],
    [
      { trailers: { A: ["b", "c"] } },
      [
        ["A", "b"],
        ["A", "c"],
      ],
    ],
    [{ trailers: [["A", "b"]] }, [["A", "b"]]],
    [{ trailers: new Fields({ A: "b" }) }, [["A", "b"]]],
    [{ trailers: { a: "b" }, rawTrailers: ["A", "b", "Host", "x"] }, [["A", "b"]]],
    [{ trailers: { a: "b" }, rawTrailers: undefined }, [["a", "b"]]],
  ] as const) {
    const found = trailersOf(body(more));
    assert.deepEqual(found && [...found], trailers);
  }
});
