import assert from "node:assert/strict";
import { it } from "node:test";
import { isTrailerField, trailerOf } from "../../../src/http/codec/trailer.ts";

it("knows, in any case, the fields that say how a message is framed, routed or authenticated", () => {
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
