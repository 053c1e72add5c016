import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve, type ServeOptions } from "../../src/server/index.ts";
import { checkPath, pathOf } from "../../src/server/path.ts";
import { until } from "../support/until.ts";
import { requestBytes, type Changes } from "../websocket/support/requests.ts";
import { dial, serving } from "./support/sockets.ts";

const echo: ServeOptions = { path: "/chat", message: (ws, message) => void ws.send(message) };

/** What a request is answered with: the status, and the text behind the head once as much as that has come. */
async function ask(
  server: Parameters<typeof dial>[0],
  line: string,
  changes?: Changes,
): Promise<{ status: number; body: string }> {
  const dialed = await dial(server, requestBytes(changes, line));
  const whole = (): boolean => {
    const [head, body] = dialed.received.split("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(head!)?.[1] ?? 0);
    return body !== undefined && body.length >= length;
  };
  await until(whole);
  dialed.socket.destroy();
  const [head, body] = dialed.received.split("\r\n\r\n");
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head!)![1]), body: body! };
}

describe("the path of a target", () => {
  for (const [target, path] of [
    ["/", "/"],
    ["/chat", "/chat"],
    ["/chat?room=1", "/chat"],
    ["/chat?a=/b?c", "/chat"],
    ["/Chat/", "/Chat/"],
    ["//chat", "//chat"],
    ["http://example.com/chat?x", "/chat"],
    ["ws://[::1]:80/chat", "/chat"],
    ["http://example.com", "/"],
    ["http://example.com?x=/chat", "/"],
    ["*", "*"],
    ["", "/"],
  ] as const) {
    test(`${target} is ${path}`, () => assert.equal(pathOf(target), path));
  }

  test("the option begins with a slash", () => {
    assert.equal(checkPath("/chat"), "/chat");
    assert.equal(checkPath(undefined), undefined);
    for (const wrong of ["chat", "", 5, null]) {
      assert.throws(() => checkPath(wrong as string), {
        code: "core.invalid_argument",
        message: `path must begin with a slash, such as "/chat", not ${String(wrong)}`,
      });
    }
  });
});

describe("the path of serve", () => {
  test("its upgrades are taken, with any query; those of other paths get 404, and plain requests to them too", async () => {
    await serving(echo, async (server) => {
      for (const target of ["/chat", "/chat?room=1", "http://localhost/chat"]) {
        assert.equal((await ask(server, `GET ${target} HTTP/1.1`)).status, 101, target);
      }
      for (const target of ["/", "/other", "/chat/", "/Chat", "/chat/x"]) {
        const { status, body } = await ask(server, `GET ${target} HTTP/1.1`);
        assert.deepEqual([status, body], [404, "There is no WebSocket here\n"], target);
      }
      const plain: Changes = { Upgrade: undefined, Connection: undefined, "Sec-WebSocket-Key": undefined };
      assert.equal((await ask(server, "GET /other HTTP/1.1", plain)).status, 404);
      assert.equal((await ask(server, "GET /chat HTTP/1.1", plain)).status, 426);
      assert.equal(server.stats().opened, 3);
      assert.equal(server.stats().requests, 7);
      assert.deepEqual(new Set(Object.values(server.stats().refused)), new Set([0]));
    });
  });

  test("upgrades of other paths go to fetch, with all that they say", async () => {
    const seen: string[] = [];
    const fetch = (request: Request): Response => {
      seen.push(`${new URL(request.url).pathname} ${request.headers.get("upgrade")}`);
      return new Response("a page", { status: 418 });
    };
    await serving({ ...echo, fetch }, async (server) => {
      assert.equal((await ask(server, "GET /chat HTTP/1.1")).status, 101);
      assert.deepEqual(await ask(server, "GET /other HTTP/1.1"), { status: 418, body: "a page" });
      assert.deepEqual(seen, ["/other websocket"]);
      assert.equal(server.stats().requests, 1);
    });
  });

  test("a malformed upgrade of its own is refused as what it is; one of another path is not ours to judge", async () => {
    await serving(echo, async (server) => {
      const changes: Changes = { "Sec-WebSocket-Version": "12" };
      assert.equal((await ask(server, "GET /chat HTTP/1.1", changes)).status, 426);
      assert.equal((await ask(server, "GET /other HTTP/1.1", changes)).status, 404);
      assert.equal(server.stats().refused.malformed, 1);
    });
  });

  test("what is no path is refused before anything listens", async () => {
    await assert.rejects(serve({ path: "chat" }), { code: "core.invalid_argument", message: /slash/ });
  });
});
