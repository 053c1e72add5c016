import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1 } from "../../../src/core/text.ts";
import { Request, RequestParser, ResponseParser } from "../../../src/http/index.ts";
import { headOf, requestOf, responseOf } from "../../../src/websocket/handshake/head-text.ts";

const head = "GET /chat?room=1 HTTP/1.1\r\nHost: a\r\nX-Long: \xe9 b \r\nhost:d\r\n\r\n";

function parsed(text: string): Request {
  const parser = new RequestParser();
  parser.put(encodeLatin1(text));
  return parser.request!;
}

test("a request made from its head is equal", () => {
  const request = parsed(head);
  assert.equal(headOf(request), head);
  const again = requestOf(head);
  assert.deepEqual(
    [again.method, again.target, again.version, [...again.headers], again.body],
    [request.method, request.target, request.version, [...request.headers], request.body],
  );
});

test("a response made from its head is equal", () => {
  const text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-Long: \xe9 b \r\n\r\n";
  const parser = new ResponseParser();
  parser.put(encodeLatin1(text));
  const response = parser.response!;
  assert.equal(headOf(response), text);
  assert.deepEqual(responseOf(text), response);
  assert.equal(responseOf(text).keepAlive, false);
});

test("many headers, and long ones, are kept", () => {
  const lines = Array.from({ length: 500 }, (_, i) => `X-${i}: ${"v".repeat(100)}\r\n`).join("");
  assert.equal(requestOf(`GET / HTTP/1.1\r\n${lines}\r\n`).headers.size, 500);
});

test("a request that was changed or never parsed has no such text", () => {
  const changed = parsed(head);
  changed.headers.set("Host", "b");
  assert.equal(headOf(changed), undefined);
  const withBody = parsed(head);
  withBody.body = new Uint8Array(1);
  assert.equal(headOf(withBody), undefined);
  assert.equal(headOf(new Request({ headers: { Host: "a" } })), undefined);
});
