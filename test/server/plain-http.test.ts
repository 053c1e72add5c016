import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Request, type Body, type RequestInit, type Response as HttpResponse } from "../../src/http/index.ts";
import { answer, upgradeRequired, type Fetch } from "../../src/server/plain-http.ts";

const text = (response: HttpResponse<Body>): Promise<string> => response.text();

const tell: Fetch = (request) => new Response(`${request.method} ${request.url} ${request.headers.get("a")}`);

async function ask(init: RequestInit, fetch: Fetch = tell): Promise<HttpResponse<Body>> {
  return answer(fetch, new Request(init));
}

test("a request becomes fetch's, with its method, URL and headers", async () => {
  const response = await ask({ target: "/x?y=1", headers: { Host: "example.com:81", A: "b" } });
  assert.deepEqual([response.status, await text(response)], [200, "GET http://example.com:81/x?y=1 b"]);
});

for (const [what, init, url] of [
  ["a target that is a whole URL", { target: "http://other/x", headers: { Host: "h" } }, "http://other/x"],
  [
    "a path with two slashes in front is not another host",
    { target: "//evil/x", headers: { Host: "h" } },
    "http://h//evil/x",
  ],
  ["HTTP/1.0 without Host", { target: "/x", version: 10 }, "http://localhost/x"],
  [
    "a question about the server as a whole",
    { method: "OPTIONS", target: "*", headers: { Host: "h:1" } },
    "http://h:1/*",
  ],
] as const) {
  test(what, async () => {
    assert.equal((await text(await ask(init))).split(" ")[1], url);
  });
}

test("a method that fetch leaves as it is reaches it, case and all", async () => {
  const response = await ask({ method: "patch", headers: { Host: "h" } });
  assert.equal((await text(response)).split(" ")[0], "patch");
});

for (const [what, init, status] of [
  ["no Host", { target: "/x" }, 400],
  ["two Hosts", { headers: { Host: ["a", "b"] } }, 400],
  ["a malformed Host", { headers: { Host: "a b" } }, 400],
  ["a Host that goes on into a path", { target: "/public", headers: { Host: "h/admin?" } }, 400],
  ["a Host with a fragment", { target: "/public", headers: { Host: "h/admin#" } }, 400],
  ["a Host with a user", { headers: { Host: "u:p@h" } }, 400],
  ["a Host with a backslash", { headers: { Host: "h\\admin" } }, 400],
  ["an empty Host", { headers: { Host: "" } }, 400],
  ["a target with a user", { target: "http://u:p@h/", headers: { Host: "h" } }, 400],
  ["a target of another scheme", { target: "ftp://h/", headers: { Host: "h" } }, 400],
  ["a target that is OPTIONS's alone", { target: "*", headers: { Host: "h" } }, 400],
  ["a malformed target of OPTIONS", { method: "OPTIONS", target: "*x", headers: { Host: "h" } }, 400],
  ["CONNECT", { method: "CONNECT", target: "example.com:443", headers: { Host: "example.com:443" } }, 501],
  ["a method that fetch does not have", { method: "TRACE", headers: { Host: "h" } }, 501],
  ["a method that fetch would take for GET", { method: "get", headers: { Host: "h" } }, 501],
  ["a method that fetch would take for DELETE", { method: "Delete", headers: { Host: "h" } }, 501],
] as const) {
  test(`${what} is answered ${status} without calling fetch`, async () => {
    const response = await ask(init, () => assert.fail("fetch was asked"));
    assert.equal(response.status, status);
  });
}

test("without fetch the answer is 426 and names the protocol", () => {
  const response = upgradeRequired();
  assert.deepEqual([response.status, response.headers.get("Upgrade")], [426, "websocket"]);
});

test("several Set-Cookie headers stay several", async () => {
  const headers = new Headers([
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
  const response = await ask({ headers: { Host: "h" } }, () => new Response("", { headers }));
  assert.deepEqual(response.headers.getAll("Set-Cookie"), ["a=1", "b=2"]);
});

for (const [what, fetch, message] of [
  [
    "throws",
    (): never => {
      throw new Error("mine");
    },
    /mine/,
  ],
  ["rejects", () => Promise.reject(new Error("mine")), /mine/],
  [
    "returns no response",
    () => undefined as unknown as Response,
    {
      code: "core.invalid_argument",
      message: /must return a Response, the standard one or an http.Response, not undefined$/,
    },
  ],
  ["returns text", () => "text" as unknown as Response, { code: "core.invalid_argument", message: /, not "text"$/ }],
  ["returns one whose body fails at once", () => new Response(failing()), /mine/],
] as const) {
  test(`the failure of a fetch that ${what} is left to the caller`, async () => {
    await assert.rejects(ask({ headers: { Host: "h" } }, fetch), message);
  });
}

test("a response whose body is used is refused, since it would look like an empty one", async () => {
  for (const body of ["text", new ReadableStream({ pull: (controller) => controller.close() })]) {
    const shared = new Response(body);
    assert.ok(await ask({ headers: { Host: "h" } }, () => shared));
    await assert.rejects(
      ask({ headers: { Host: "h" } }, () => shared),
      /unused/,
    );
  }
  const empty = new Response(null, { status: 204 });
  for (let time = 0; time < 2; time++) assert.ok(await ask({ headers: { Host: "h" } }, () => empty));
});

/** A body that gives these parts, then fails. */
function failing(...parts: string[]): ReadableStream {
  return ReadableStream.from(
    (async function* (): AsyncGenerator<Uint8Array, undefined> {
      for (const part of parts) yield Buffer.from(part);
      throw new Error("mine");
    })(),
  );
}

describe("the body of fetch's response", () => {
  const host = { headers: { Host: "h" } };

  test("is bytes if all of it is ready at once", async () => {
    for (const body of ["hello", "", null, new Blob(["hello"]), new Uint8Array(5)]) {
      const response = await ask(host, () => new Response(body));
      assert.ok(response.body instanceof Uint8Array);
      assert.equal(response.body.length, body === "" || body === null ? 0 : 5);
    }
  });

  test("is a stream otherwise, with all its parts, none requested early", async () => {
    for (const count of [2, 5]) {
      let pulled = 0;
      const body = new ReadableStream(
        {
          pull(controller) {
            controller.enqueue(Uint8Array.of(++pulled));
            if (pulled === count) controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const response = await ask(host, () => new Response(body));
      assert.ok(!(response.body instanceof Uint8Array));
      assert.equal(pulled, 2);
      assert.deepEqual(
        [...(await response.bytes())],
        Array.from({ length: count }, (_, i) => i + 1),
      );
    }
  });

  test("may begin slowly: its head does not wait for it", async () => {
    let controller!: ReadableStreamDefaultController;
    const body = new ReadableStream({ start: (given) => void (controller = given) });
    const response = await ask(host, () => new Response(body));
    const whole = response.text();
    controller.enqueue(Buffer.from("late"));
    controller.close();
    assert.equal(await whole, "late");
  });

  test("fails when the stream fails", async () => {
    const response = await ask(host, () => new Response(failing("some", "parts")));
    await assert.rejects(response.text(), /mine/);
  });

  test("is cancelled at once if it is stopped while it waits for a part", async () => {
    let cancelled = 0;
    const body = new ReadableStream({ cancel: () => void cancelled++ });
    const response = await ask(host, () => new Response(body));
    const source = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const part = source.next();
    void source.return!();
    assert.equal(cancelled, 1);
    assert.equal((await part).done, true);
  });

  test("is cancelled if it is not read, or not to its end", async () => {
    for (const how of ["not at all", "not to its end"]) {
      let cancelled = 0;
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(10)),
        cancel: () => void cancelled++,
      });
      const response = await ask(host, () => new Response(body));
      if (how === "not at all") (response.body as unknown as { cancel(): void }).cancel();
      else for await (const _ of response.body as AsyncIterable<Uint8Array>) break;
      await new Promise(setImmediate);
      assert.equal(cancelled, 1);
    }
  });
});

test("the body of a request can be read by fetch, except with GET and HEAD", async () => {
  const body = (async function* (): AsyncGenerator<Uint8Array, undefined> {
    yield Buffer.from("he");
    yield Buffer.from("llo");
  })();
  const echo: Fetch = async (request) => new Response(await request.text());
  assert.equal(await text(await ask({ method: "POST", headers: { Host: "h" }, body }, echo)), "hello");
  const unread = { [Symbol.asyncIterator]: () => assert.fail("read") };
  assert.equal(await text(await ask({ headers: { Host: "h" }, body: unread }, echo)), "");
});
