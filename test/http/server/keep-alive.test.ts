import assert from "node:assert/strict";
import { test } from "node:test";
import { Request, Response, type Body } from "../../../src/http/index.ts";
import { keepsAlive } from "../../../src/http/server/keep-alive.ts";
import type { RequestBody } from "../../../src/http/server/request-body.ts";

interface Own {
  readonly isAwaited?: boolean;
  readonly error?: object;
  readonly left?: number;
}

function body({ isAwaited = false, error, left = 0 }: Own): RequestBody {
  return { isAwaited, error, hasMoreThan: (size: number) => left > size } as unknown as RequestBody;
}

async function* parts(): AsyncGenerator<Uint8Array, undefined> {}

const get = new Request({ target: "/" });
const post = new Request({ method: "POST", target: "/" });
const ok = new Response({ body: "ok" });

const cases: [what: string, request: Request, response: Response<Body>, own: Own | undefined, kept: boolean][] = [
  ["a GET", get, ok, undefined, true],
  ["HTTP/1.0", new Request({ target: "/", version: 10 }), ok, undefined, false],
  ["RFC 9110 9.3.6: CONNECT", new Request({ method: "CONNECT", target: "a.example:1" }), ok, undefined, false],
  ["a body that was read", post, ok, {}, true],
  ["a body that the client was not told to send", post, ok, { isAwaited: true }, false],
  ["a body that failed", post, ok, { error: {} }, false],
  ["a body that is worth reading to its end", post, ok, { left: 64 * 1024 }, true],
  ["a body that is not", post, ok, { left: 64 * 1024 + 1 }, false],
  ["one that a response in parts may come of", post, new Response({ body: parts() }), { left: 64 * 1024 + 1 }, true],
];

for (const [what, request, response, own, kept] of cases) {
  test(`${what}: the connection ${kept ? "is kept" : "ends"}`, () => {
    assert.equal(keepsAlive(request, response, own && body(own)), kept);
  });
}

test("a response with Connection: close ends the connection", () => {
  const response = new Response({ body: "ok" });
  assert.equal(keepsAlive(get, response, undefined), true);
  response.headers.set("Connection", "foo, close");
  assert.equal(keepsAlive(get, response, undefined), false);
});
