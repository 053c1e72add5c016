// An application of Hono's, an application framework on fetch's types that we did not write, through `serve`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { it, type TestContext } from "node:test";
import { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { stream, streamSSE } from "hono/streaming";
import { serve } from "../../src/server/index.ts";
import { until } from "../support/until.ts";

/** What happened to the request that waits. */
const events: string[] = [];

function application(): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header("X-Method", c.req.method);
  });
  app.get("/", (c) => c.text("home"));
  app.get("/hello/:name", (c) => c.json({ name: c.req.param("name"), q: c.req.query("q"), a: c.req.header("x-a") }));
  app.post("/json", async (c) => {
    const body = await c.req.json<{ a: number }>();
    return c.json({ got: body, again: await c.req.text() }, 201);
  });
  app.put("/raw", async (c) => {
    const { raw } = c.req;
    const copy = new Request(raw.clone(), { method: "POST" });
    const whole = await raw.arrayBuffer();
    return c.text(`${raw instanceof Request} ${raw.method} ${raw.url} ${whole.byteLength} ${await copy.text()}`);
  });
  app.put("/echo", (c) => new Response(c.req.raw.body));
  app.post("/form", async (c) => {
    const { name, file } = await c.req.parseBody();
    return c.text(`${name as string} ${(file as File).name} ${await (file as File).text()}`);
  });
  app.get("/stream", (c) =>
    stream(c, async (out) => {
      for (const part of ["one ", "two ", "three"]) await out.write(part);
    }),
  );
  app.get("/events", (c) =>
    streamSSE(c, async (out) => {
      await out.writeSSE({ event: "a", data: "1" });
      await out.writeSSE({ data: "2" });
    }),
  );
  app.get("/cookies", (c) => {
    setCookie(c, "a", "1", { httpOnly: true });
    setCookie(c, "b", "2");
    deleteCookie(c, "old");
    return c.text(JSON.stringify(getCookie(c)));
  });
  app.get("/forbidden", () => {
    throw new HTTPException(403, { message: "not you" });
  });
  app.get("/bug", () => {
    throw new Error("mine");
  });
  app.get("/wait", async (c) => {
    const { signal } = c.req.raw;
    events.push("asked");
    await once(signal, "abort");
    events.push((signal.reason as { code: string }).code);
    return c.text("too late");
  });
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.text(`failed: ${error.message}`, 500),
  );
  return app;
}

async function start(t: TestContext): Promise<{ url: string; port: number }> {
  const { fetch } = application();
  const server = await serve({ port: 0, host: "127.0.0.1", fetch: (request) => fetch(request) });
  t.after(() => server.close());
  return { url: server.url, port: server.port! };
}

it("routes, queries and fields", async (t) => {
  const { url } = await start(t);
  const home = await fetch(url);
  assert.deepEqual([home.status, home.headers.get("x-method"), await home.text()], [200, "GET", "home"]);
  const hello = await fetch(`${url}/hello/w%20x?q=1%262`, { headers: { "X-A": "b" } });
  assert.deepEqual(await hello.json(), { name: "w x", q: "1&2", a: "b" });
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
});

it("JSON, and bodies as they are", async (t) => {
  const { url } = await start(t);
  const json = await fetch(`${url}/json`, { method: "POST", body: '{"a":1}' });
  assert.deepEqual([json.status, await json.json()], [201, { got: { a: 1 }, again: '{"a":1}' }]);
  const bad = await fetch(`${url}/json`, { method: "POST", body: "{" });
  assert.match(await bad.text(), /^failed: .*JSON/);
  const raw = await fetch(`${url}/raw`, { method: "PUT", body: "hé" });
  assert.equal(await raw.text(), `true PUT ${url}/raw 3 hé`);
  const large = "0123456789".repeat(50_000);
  assert.equal(await (await fetch(`${url}/echo`, { method: "PUT", body: large })).text(), large);
});

it("a form with a file", async (t) => {
  const { url } = await start(t);
  const form = new FormData();
  form.append("name", "n");
  form.append("file", new File(["what is in it"], "f.txt"));
  const response = await fetch(`${url}/form`, { method: "POST", body: form });
  assert.equal(await response.text(), "n f.txt what is in it");
});

it("streams and events", async (t) => {
  const { url } = await start(t);
  assert.equal(await (await fetch(`${url}/stream`)).text(), "one two three");
  const events = await fetch(`${url}/events`);
  assert.equal(events.headers.get("content-type"), "text/event-stream");
  assert.equal(await events.text(), "event: a\ndata: 1\n\ndata: 2\n\n");
});

it("cookies", async (t) => {
  const { url } = await start(t);
  const response = await fetch(`${url}/cookies`, { headers: { Cookie: "x=y; z=%20" } });
  const [a, b, old] = response.headers.getSetCookie();
  assert.deepEqual([a, b], ["a=1; Path=/; HttpOnly", "b=2; Path=/"]);
  assert.match(old!, /^old=; Max-Age=0/);
  assert.deepEqual(JSON.parse(await response.text()), { x: "y", z: " " });
});

it("errors", async (t) => {
  const { url } = await start(t);
  const forbidden = await fetch(`${url}/forbidden`);
  assert.deepEqual([forbidden.status, await forbidden.text()], [403, "not you"]);
  const bug = await fetch(`${url}/bug`);
  assert.deepEqual([bug.status, await bug.text()], [500, "failed: mine"]);
});

it("a client that is lost, by the request's signal", async (t) => {
  const { port } = await start(t);
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => events.length >= 1);
  socket.resetAndDestroy();
  await until(() => events.length >= 2);
  assert.deepEqual(events, ["asked", "core.connection_reset"]);
});
