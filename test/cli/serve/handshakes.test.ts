import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Handshakes } from "../../../src/cli/serve/handshakes.ts";
import { Request, Response } from "../../../src/http/index.ts";

// The key and its answer are the example of RFC 6455 section 1.3.
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const id = "0123456789abcdef";

function request(target: string, more: readonly [string, string][] = []): Request {
  return new Request({ target, headers: [["hOST", "a"], ["Sec-WebSocket-Key", key], ...more] });
}

const response = (): Response =>
  new Response({ status: 101, headers: { Upgrade: "websocket", "Sec-WebSocket-Accept": accept } });

describe("Handshakes", () => {
  it("has both heads as sent: order, case and repeats kept", () => {
    const handshakes = new Handshakes();
    const more: [string, string][] = [
      ["X", "1"],
      ["x", "é"],
    ];
    handshakes.add(request(`/echo?id=${id}`, more), response());
    assert.deepEqual(handshakes.take(id), {
      request: `GET /echo?id=${id} HTTP/1.1\r\nhOST: a\r\nSec-WebSocket-Key: ${key}\r\nX: 1\r\nx: é\r\n\r\n`,
      response: `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    });
  });

  it("returns each once, by its id", () => {
    const handshakes = new Handshakes();
    assert.equal(handshakes.take(id), undefined);
    handshakes.add(request(`/echo?id=${id}`), response());
    assert.equal(handshakes.take(`${id}0`), undefined);
    assert.equal(handshakes.take(""), undefined);
    assert.notEqual(handshakes.take(id), undefined);
    assert.equal(handshakes.take(id), undefined);
    assert.equal(handshakes.size, 0);
  });

  it("ignores connections without an id that is hard to guess", () => {
    const handshakes = new Handshakes();
    for (const query of ["", "?id=", "?id=short", `?id=${"x".repeat(65)}`, "?id=0123456789abcde%20", `?ID=${id}`]) {
      handshakes.add(request(`/echo${query}`), response());
    }
    assert.equal(handshakes.size, 0);
  });

  it("keeps only the latest", () => {
    const handshakes = new Handshakes(2);
    const ids = [1, 2, 3].map((n) => id + n);
    for (const each of [ids[0]!, ...ids]) handshakes.add(request(`/echo?id=${each}`), response());
    assert.equal(handshakes.size, 2);
    assert.deepEqual(
      ids.map((each) => handshakes.take(each) !== undefined),
      [false, true, true],
    );
  });
});
