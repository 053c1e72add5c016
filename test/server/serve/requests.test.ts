// Requests of a kind of their own, over real sockets, to `fetch`.
import assert from "node:assert/strict";
import { it } from "node:test";
import { dial, serving } from "../support/sockets.ts";

/** What `fetch` gets of a request, as the server answers it; an answer of the server's own is a status alone. */
async function seen(head: string): Promise<string> {
  const fetch = (request: Request): Response =>
    new Response(`${request.method} ${request.url} ${request.headers.get("cookie")}`);
  let answer = "";
  await serving({ message: () => {}, fetch }, async (server) => {
    const client = await dial(server, `${head}\r\nHost: a:1\r\nConnection: close\r\n\r\n`);
    await client.closed;
    const [start = "", body = ""] = client.received.split("\r\n\r\n");
    answer = start.startsWith("HTTP/1.1 200 ") ? body : start.split(" ")[1]!;
  });
  return answer;
}

it("RFC 9112 3.2.4: OPTIONS * reaches fetch, as the origin with the path *; another method has no such target", async () => {
  assert.equal(await seen("OPTIONS * HTTP/1.1"), "OPTIONS http://a:1/* null");
  assert.equal(await seen("GET * HTTP/1.1"), "400");
});

it("RFC 6265 5.4: several Cookie lines are one list", async () => {
  assert.equal(await seen("GET / HTTP/1.1\r\nCookie: a=1\r\nX: y\r\ncookie: b=2"), "GET http://a:1/ a=1; b=2");
});
