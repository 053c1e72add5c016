import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve, type ServeOptions } from "../../src/server/index.ts";
import { checkPath } from "../../src/server/path.ts";
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

describe("the option path", () => {
  test("the option begins with a slash", () => {
    assert.equal(checkPath("/chat"), "/chat");
    assert.equal(checkPath(undefined), undefined);
    for (const wrong of ["chat", "", 5, null]) {
      assert.throws(() => checkPath(wrong as string), {
        code: "core.invalid_argument",
        message: `path must begin with a slash, such as "/chat", not ${JSON.stringify(wrong)}`,
      });
    }
    assert.throws(() => checkPath(Object.create(null) as string), {
      code: "core.invalid_argument",
      message: /an object$/,
    });
  });

  for (const [path, instead] of [
    ["/chat?room=1", "/chat"],
    ["/chat#top", "/chat"],
    ["/chät", "/ch%C3%A4t"],
    ["/a room", "/a%20room"],
    ["/a/../chat", "/chat"],
    ["/chat\\", "/chat/"],
  ] as const) {
    test(`is refused if no client sends it, as ${path}`, () => {
      const message = `path must be written as clients send it, without a query, "${instead}", not ${JSON.stringify(path)}`;
      assert.throws(() => checkPath(path), { code: "core.invalid_argument", message });
      assert.equal(checkPath(instead), instead);
    });
  }

  test("is refused if it is a list, or a pattern, which would match only itself", () => {
    for (const path of ["/*", "/chat/*", "/chat*", "/:room", "/chat/:room", "/rooms/:id/chat"]) {
      assert.throws(() => checkPath(path), {
        code: "core.invalid_argument",
        message: `path is compared literally, but ${JSON.stringify(path)} looks like a pattern. Leave it out for all paths, and look at request.path in upgrade`,
      });
    }
    for (const list of [["/a", "/b"], ["/a"], []]) {
      assert.throws(() => checkPath(list as unknown as string), {
        code: "core.invalid_argument",
        message:
          "path is one path, not a list of them. Leave it out for all paths, and look at request.path in upgrade",
      });
    }
  });

  test("may have everything else that a path may have", () => {
    for (const path of ["/", "//chat", "/%7Euser", "/a/b/", "/a;b=c,d", "/a:b@c!$&'()+-._~"])
      assert.equal(checkPath(path), path);
  });
});

describe("the path of serve", () => {
  test("its upgrades are accepted, with any query; upgrades of other paths and plain requests get 404, those of no path 400", async () => {
    await serving(echo, async (server) => {
      for (const target of ["/chat", "/chat?room=1", "http://localhost/chat"]) {
        assert.equal((await ask(server, `GET ${target} HTTP/1.1`)).status, 101, target);
      }
      const others = [
        "/",
        "/other",
        "/chat/",
        "/Chat",
        "/chat/x",
        "//chat",
        "/a/../chat",
        "/%63hat",
        "/chat%2f",
        "/chat#x",
      ];
      const noPaths = [
        "*",
        "x",
        "http:/chat",
        "http:///chat",
        "http://a\\b/chat",
        "http://a#/chat",
        "http://u@a/chat",
        "a://b/chat",
      ];
      for (const target of others) {
        const { status, body } = await ask(server, `GET ${target} HTTP/1.1`);
        assert.deepEqual([status, body], [404, "There is no WebSocket here\n"], target);
      }
      for (const target of noPaths) assert.equal((await ask(server, `GET ${target} HTTP/1.1`)).status, 400, target);
      const plain: Changes = { Upgrade: undefined, Connection: undefined, "Sec-WebSocket-Key": undefined };
      assert.equal((await ask(server, "GET /other HTTP/1.1", plain)).status, 404);
      assert.equal((await ask(server, "GET /chat HTTP/1.1", plain)).status, 426);
      assert.equal(server.stats().opened, 3);
      assert.equal(server.stats().requests, others.length + 2);
      const { malformed, ...reasons } = server.stats().refused;
      assert.equal(malformed, noPaths.length);
      assert.deepEqual(new Set(Object.values(reasons)), new Set([0]));
    });
  });

  test("upgrades of other paths go to fetch, with all their headers", async () => {
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

  test("a malformed upgrade of its path is refused as malformed; one of another path is not judged", async () => {
    await serving(echo, async (server) => {
      const changes: Changes = { "Sec-WebSocket-Version": "12" };
      assert.equal((await ask(server, "GET /chat HTTP/1.1", changes)).status, 426);
      assert.equal((await ask(server, "GET /other HTTP/1.1", changes)).status, 404);
      assert.equal(server.stats().refused.malformed, 1);
    });
  });

  test("an invalid path is refused before anything listens", async () => {
    await assert.rejects(serve({ path: "chat" }), { code: "core.invalid_argument", message: /slash/ });
  });
});
