// Handlers that fail, responses that can't be sent or break off, and requests that are refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields, Response, type Body, type RequestHandler } from "../../../../src/http/index.ts";
import { everyFailure } from "../../../../src/testing/index.ts";
import { outcomes } from "../../../support/outcomes.ts";
import { deferred, quiet } from "../../../support/quiet.ts";
import { get, HandBody, post, Serving } from "../../support/serving.ts";

const ok: RequestHandler = () => new Response({ body: "ok" });
const mine = new Error("mine");

describe("a handler that fails", () => {
  for (const [what, handler] of [
    ["throws", () => assert.fail(mine)],
    ["rejects", () => Promise.reject(mine)],
    ["rejects late", () => quiet().then(() => Promise.reject(mine))],
  ] as const) {
    it(`${what}: the client gets 500, the error is reported once, and the connection goes on`, async () => {
      const serving = new Serving((request, exchange) =>
        request.target === "/bad" ? handler() : ok(request, exchange),
      );
      await serving.send(get("/1") + get("/bad") + get("/2"));
      await quiet(2);
      assert.deepEqual(serving.statuses, [200, 500, 200]);
      assert.deepEqual(serving.errors, [mine]);
      assert.doesNotMatch(serving.client.text, /mine/);
      await serving.end();
    });
  }

  for (const [what, result, words] of [
    ["nothing", undefined, /GET \/ returned nothing/],
    ["null", null, /returned nothing/],
    ["a string", "hello", /not string/],
    ["an object", {}, /not object/],
    ["one of fetch's", new globalThis.Response("x"), /Response.from/],
    ["an interim response", new Response({ status: 103 }), /status 103/],
    ["a switch without a release", new Response({ status: 101 }), /status 101/],
    ["a bad field", new Response({ headers: Fields.fromRaw(["a", "b\r\nc: d"]) }), /header's value/],
    ["a wrong length", new Response({ headers: { "Content-Length": "3" }, body: "four" }), /Content-Length/],
    ["a body with 204", new Response({ status: 204, body: "x" }), /204/],
    ["null for a body", Object.assign(new Response(), { body: null }), /null/],
    ["undefined for a body", Object.assign(new Response(), { body: undefined }), /undefined/],
  ] as [string, unknown, RegExp][]) {
    it(`returning ${what}: the client gets 500, and the error is reported`, async () => {
      for (const value of [result, Promise.resolve(result)]) {
        const serving = new Serving(() => value as Response);
        await serving.send(get("/") + get("/"));
        assert.deepEqual(serving.statuses, [500, 500]);
        assert.equal(serving.errors.length, 2);
        for (const error of serving.errors) assert.match(String(error), words);
        await serving.end();
      }
    });
  }

  it("returning a promise whose then throws: the client gets 500, also for a request that could be released", async () => {
    const broken = new Proxy({}, { get: () => assert.fail(mine) });
    const serving = new Serving(() => broken as Response);
    await serving.send(get("/") + get("/", "Upgrade: x\r\n"));
    assert.deepEqual(
      [serving.statuses, serving.errors],
      [
        [500, 500],
        [mine, mine],
      ],
    );
    await serving.end();
  });

  it("returning a body of the wrong kind, or impossible framing: the body is cancelled", async () => {
    for (const init of [{ status: 204 }, { status: 103 }, { headers: { "Transfer-Encoding": "gzip" } }]) {
      const body = new HandBody();
      const serving = new Serving(() => new Response<Body>({ ...init, body }));
      await serving.send(get("/"));
      assert.deepEqual([serving.statuses, body.asked, body.drops], [[500], 0, 1]);
      await serving.end();
    }
  });

  it("is reported to the console without the option error, as is an error handler that throws", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    for (const error of [
      undefined,
      () => {
        throw mine;
      },
    ]) {
      const serving = new Serving(() => Promise.reject(mine), { error });
      await serving.send(get("/"));
      assert.deepEqual(serving.statuses, [500]);
      await serving.end();
    }
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      [mine, mine],
    );
  });

  it("after the end of its connection: the failure is reported, and a response is dropped", async () => {
    for (const outcome of ["fails", "answers"]) {
      const { promise, resolve, reject } = deferred<Response<Body>>();
      const controller = new AbortController();
      const serving = new Serving(() => promise, { signal: controller.signal });
      await serving.send(get("/"));
      controller.abort();
      await quiet();
      serving.assertEnded("core.aborted");
      const body = new HandBody();
      if (outcome === "fails") reject(mine);
      else resolve(new Response<Body>({ body }));
      await quiet();
      assert.deepEqual(serving.errors, outcome === "fails" ? [mine] : []);
      assert.equal(body.drops, outcome === "fails" ? 0 : 1);
      assert.equal(serving.completions, 1);
    }
  });
});

describe("a response in parts", () => {
  it("is asked for its next part when the last one has been written", async () => {
    const body = new HandBody();
    const serving = new Serving(() => new Response<Body>({ body }), { peerPair: { capacity: 100 }, paused: true });
    await serving.send(get("/"));
    assert.equal(body.asked, 1);
    await body.give("x".repeat(1000));
    assert.equal(body.asked, 1);
    serving.client.resume();
    await quiet(4);
    assert.equal(body.asked, 2);
    await body.give();
    assert.equal(serving.responses()[0]!.body.length, 1000);
    assert.deepEqual([body.stops, body.drops], [0, 0]);
    await serving.end();
  });

  it("is cut if it fails midway, so that the client notices, and the failure is reported", async () => {
    for (const [what, headers, request] of [
      ["chunked", {}, get("/")],
      ["with a length", { "Content-Length": "100" }, get("/")],
      ["up to the end of the connection", {}, "GET / HTTP/1.0\r\n\r\n"],
    ] as const) {
      const body = new HandBody();
      const serving = new Serving(() => new Response<Body>({ headers, body }));
      await serving.send(request + get("/never"));
      await body.give("part");
      await body.fail(mine);
      assert.match(serving.client.text, /part(\r\n)?$/, what);
      assert.equal(serving.client.error?.code, "core.connection_reset");
      assert.deepEqual(serving.errors, [mine]);
      serving.assertEnded("http.body_failed");
    }
  });

  it("is cut if it is shorter or longer than announced", async () => {
    for (const more of ["", "xx"]) {
      const body = new HandBody();
      const serving = new Serving(() => new Response<Body>({ headers: { "Content-Length": "5" }, body }));
      await serving.send(get("/"));
      await body.give("four");
      await body.give(more === "" ? undefined : more);
      assert.equal((serving.errors[0] as { code: string }).code, "http.bad_content_length");
      assert.equal(body.stops, more === "" ? 0 : 1);
      serving.assertEnded("http.bad_content_length");
    }
  });

  it("is cut if a part has the wrong type", async () => {
    const body = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(undefined) }),
    } as unknown as Body;
    const serving = new Serving(() => new Response<Body>({ body }));
    await serving.send(get("/"));
    assert.equal(serving.errors.length, 1);
    serving.assertEnded("http.body_failed");
  });

  it("is cancelled when the client is lost, also while a part is awaited, and before the first one", async () => {
    for (const when of ["while it is waited for", "while a part is on its way", "before it has begun"]) {
      const body = new HandBody();
      const controller = new AbortController();
      const serving = new Serving(
        (request) => new Response<Body>({ body: request.target === "/" ? body : Buffer.alloc(1000) }),
        { signal: controller.signal, peerPair: { capacity: 100 }, paused: true },
      );
      if (when === "before it has begun") await serving.send(get("/1") + get("/"));
      else await serving.send(get("/"));
      if (when === "while a part is on its way") await body.give("x".repeat(1000));
      controller.abort();
      await quiet();
      serving.assertEnded("core.aborted");
      const begun = when !== "before it has begun";
      assert.deepEqual([body.stops, body.drops], begun ? [1, 0] : [0, 1], when);
      assert.deepEqual(serving.errors, []);
    }
  });

  it("is cancelled if only the head is sent", async () => {
    const body = new HandBody();
    const serving = new Serving(() => new Response<Body>({ body }));
    await serving.send(get("/").replace("GET", "HEAD"));
    assert.deepEqual([body.asked, body.drops], [0, 1]);
    await serving.end();
  });

  it("has its trailer after it", async () => {
    async function* parts(): AsyncGenerator<Uint8Array, undefined> {
      yield Buffer.from("x");
    }
    const body = Object.assign(parts(), { trailers: new Fields({ T: "y" }) });
    const serving = new Serving(() => new Response<Body>({ body }));
    await serving.send(get("/"));
    assert.match(serving.client.text, /\r\n0\r\nT: y\r\n\r\n$/);
    await serving.end();
  });
});

describe("a request that is refused", () => {
  for (const [status, code, text, options] of [
    [400, "http.bad_method", "\x16\x03\x01", {}],
    [400, "http.bad_field", "GET / HTTP/1.1\r\nBad Field: x\r\n\r\n", {}],
    [400, "http.bad_host", "GET / HTTP/1.1\r\n\r\n", {}],
    [400, "http.bad_host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", {}],
    [400, "http.bad_host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", {}],
    [400, "http.bad_host", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", {}],
    [400, "http.bad_content_length", get("/", "Content-Length: x\r\n"), {}],
    [400, "http.bad_transfer_encoding", get("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), {}],
    [417, "http.expectation_failed", get("/", "Expect: more\r\n"), {}],
    [431, "http.header_limit", get("/", `A: ${"x".repeat(100)}\r\n`), { maxHeaderSize: 100 }],
    [431, "http.field_limit", get("/", "A: b\r\n"), { maxHeadersCount: 1 }],
    [501, "http.unknown_transfer_coding", get("/", "Transfer-Encoding: gzip, chunked\r\n"), {}],
    [505, "http.bad_version", "GET / HTTP/2.0\r\n", {}],
    [400, "http.bad_start_line", "GET /pa th HTTP/1.1\r\n", {}],
    [400, "http.bad_start_line", "GET / HTTP/1\r\n", {}],
    [400, "http.bad_start_line", "GET / http/1.1\r\n", {}],
    [400, "http.bad_start_line", "GET / HTTP/ 1.1\r\n", {}],
    [400, "http.bad_start_line", "GET /\r\n", {}],
    [414, "http.target_limit", `GET /${"x".repeat(100)} HTTP/1.1\r\n`, { maxHeaderSize: 100 }],
    [501, "http.method_limit", "X".repeat(100), { maxHeaderSize: 100 }],
  ] as const) {
    it(`is answered with ${status} for ${code}; later bytes are not read`, async () => {
      for (const maxRead of [Infinity, 1]) {
        let asked = 0;
        const handler: RequestHandler = (...given) => {
          asked++;
          return ok(...given);
        };
        const serving = new Serving(handler, { ...options, pair: { maxRead } });
        await serving.send(
          `${options === undefined || "maxHeaderSize" in options || "maxHeadersCount" in options ? "" : get("/1")}${text}${get("/3")}`,
        );
        await quiet(4);
        const seen = serving.responses();
        const last = seen.at(-1)!;
        assert.equal(last.status, status);
        assert.equal(last.headers["connection"], "close");
        assert.equal(asked, seen.length - 1);
        assert.deepEqual(serving.errors, []);
        // It is read on, so that the response is not lost to a reset.
        assert.deepEqual([serving.client.ended, serving.completions], [true, 0]);
        await serving.send("x".repeat(100_000));
        assert.equal(serving.client.error, undefined);
        await serving.end(code);
      }
    });
  }

  it("gets its answer after the answers to earlier requests, ready or slow", async () => {
    const { promise, resolve } = deferred<Response>();
    const serving = new Serving(() => promise);
    await serving.send(`${get("/")}\0`);
    assert.equal(serving.client.text, "");
    resolve(new Response());
    await quiet();
    assert.deepEqual(serving.statuses, [200, 400]);
    await serving.end("http.bad_method");
  });

  it("gets only a head if its method is HEAD", async () => {
    const serving = new Serving(ok);
    await serving.send("HEAD / HTTP/1.1\r\n\r\n");
    const [response] = serving.responses([0]);
    assert.equal(response!.status, 400);
    await serving.end("http.bad_host");
  });

  it("is no request with an empty Host, with a port in Host, or without Host in HTTP/1.0", async () => {
    const serving = new Serving(ok);
    for (const host of ["", "h:80", "[::1]:80"]) await serving.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await serving.send("GET / HTTP/1.0\r\n\r\n");
    assert.deepEqual(serving.statuses, [200, 200, 200, 200]);
    await serving.end();
  });

  it("ends the connection once and leaves nothing if an operation that refuses it fails", async () => {
    for (const text of [get("/") + "\0", post("hello", "Expect: x\r\n"), "GET / HTTP/1.1\r\n\r\n"]) {
      const runs = await everyFailure(async (run) => {
        const { signal } = run;
        const serving = new Serving(ok, { run, signal, pair: { maxWrite: 50 } });
        await serving.send(text);
        serving.client.stream.end();
        await serving.ended;
        await quiet(2);
        const code = serving.error?.code;
        const isRefused = serving.error?.condition === "protocol_violation";
        // An end before the first request is none of its.
        const others = run.failure === "end" ? outcomes(run, undefined) : outcomes(run);
        assert.ok(isRefused || others.includes(code), code);
        serving.assertEnded(code);
      });
      assert.ok(runs.length > 12, runs.join());
    }
  });
});

describe("the date", () => {
  it("is added to each response without one, also to responses in parts and to refusals", async () => {
    const own = "Thu, 01 Jan 1970 00:00:00 GMT";
    const serving = new Serving(
      ({ target }) =>
        new Response<Body>({
          headers: target === "/own" ? { Date: own } : {},
          body: target === "/parts" ? (async function* (): AsyncGenerator<Uint8Array> {})() : new Uint8Array(0),
        }),
      { date: true },
    );
    await serving.send(`${get("/")}${get("/own")}${get("/parts")}\0`);
    const dates = serving.responses().map(({ headers }) => headers["date"]);
    assert.equal(dates.length, 4);
    assert.equal(dates[1], own);
    for (const date of [dates[0], dates[2], dates[3]]) {
      assert.ok(Math.abs(Date.parse(date!) - Date.now()) < 10_000, date);
      assert.match(date!, / GMT$/);
    }
    await serving.end("http.bad_method");
  });
});
