import assert from "node:assert/strict";
import { test } from "node:test";
import { Request, type RequestInit, type Response as HttpResponse } from "../../src/http/index.ts";
import { answer, type Fetch } from "../../src/server/plain-http.ts";

const text = (response: HttpResponse): string => new TextDecoder().decode(response.body);

const describe: Fetch = (request) => new Response(`${request.method} ${request.url} ${request.headers.get("a")}`);

function ask(init: RequestInit, fetch: Fetch | undefined = describe): Promise<HttpResponse> {
  return answer(fetch, new Request(init));
}

test("a request becomes fetch's, with its method, URL and fields", async () => {
  const response = await ask({ target: "/x?y=1", fields: { Host: "example.com:81", A: "b" } });
  assert.deepEqual([response.status, text(response)], [200, "GET http://example.com:81/x?y=1 b"]);
});

for (const [what, init, url] of [
  ["a target that is a whole URL", { target: "http://other/x", fields: { Host: "h" } }, "http://other/x"],
  [
    "a path with two slashes in front is not another host",
    { target: "//evil/x", fields: { Host: "h" } },
    "http://h//evil/x",
  ],
  ["HTTP/1.0 without Host", { target: "/x", version: 10 }, "http://localhost/x"],
] as const) {
  test(what, async () => {
    assert.equal(text(await ask(init)).split(" ")[1], url);
  });
}

for (const [what, init, status] of [
  ["no Host", { target: "/x" }, 400],
  ["two Hosts", { fields: { Host: ["a", "b"] } }, 400],
  ["a malformed Host", { fields: { Host: "a b" } }, 400],
  ["a Host that goes on into a path", { target: "/public", fields: { Host: "h/admin?" } }, 400],
  ["a Host with a fragment", { target: "/public", fields: { Host: "h/admin#" } }, 400],
  ["a Host with a user", { fields: { Host: "u:p@h" } }, 400],
  ["a Host with a backslash", { fields: { Host: "h\\admin" } }, 400],
  ["an empty Host", { fields: { Host: "" } }, 400],
  ["a target with a user", { target: "http://u:p@h/", fields: { Host: "h" } }, 400],
  ["a target of another scheme", { target: "ftp://h/", fields: { Host: "h" } }, 400],
  ["a malformed target", { target: "*", fields: { Host: "h" } }, 400],
  ["a method that fetch does not have", { method: "TRACE", fields: { Host: "h" } }, 501],
] as const) {
  test(`${what} is answered ${status}, and fetch is not asked`, async () => {
    const response = await ask(init, () => assert.fail("fetch was asked"));
    assert.equal(response.status, status);
  });
}

test("without fetch the answer is 426 and names the protocol", async () => {
  const response = await answer(undefined, new Request({ fields: { Host: "h" } }));
  assert.deepEqual([response.status, response.fields.get("Upgrade")], [426, "websocket"]);
});

test("several Set-Cookie fields stay several", async () => {
  const headers = new Headers([
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
  const response = await ask({ fields: { Host: "h" } }, () => new Response("", { headers }));
  assert.deepEqual(response.fields.getAll("Set-Cookie"), ["a=1", "b=2"]);
});

for (const [what, fetch] of [
  [
    "throws",
    (): never => {
      throw new Error("mine");
    },
  ],
  ["rejects", () => Promise.reject(new Error("mine"))],
  ["returns no response", () => undefined as unknown as Response],
] as const) {
  test(`a fetch that ${what} is answered 500 and told of once`, async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const response = await ask({ fields: { Host: "h" } }, fetch as unknown as Fetch);
    assert.equal(response.status, 500);
    assert.doesNotMatch(text(response), /mine/);
    assert.equal(reported.mock.callCount(), 1);
    if (what === "returns no response")
      assert.match(String(reported.mock.calls[0]!.arguments[0]), /must return a Response/);
  });
}
