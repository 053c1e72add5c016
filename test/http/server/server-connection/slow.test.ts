// Clients that are slow, or never end: cut at a deadline or a limit, with the status that says why, and little memory.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response, type RequestHandler } from "../../../../src/http/index.ts";
import { quiet } from "../../../support/quiet.ts";
import { get, post, Serving } from "../../support/serving.ts";
import { until } from "../../../support/until.ts";

const ok: RequestHandler = () => new Response({ body: "ok" });
const whole: RequestHandler = async (request) => new Response({ body: await request.bytes() });
const timeouts = { header: 1000, keepAlive: 2000, body: 3000, write: 4000 };

/** Sends a text, a character a second of 100 ms, until nobody listens; returns how many milliseconds that took. */
async function drip(serving: Serving, text: string, step = 100): Promise<number> {
  const start = serving.clock.now();
  for (const character of text) {
    if (serving.completions > 0 || serving.client.ended) break;
    serving.client.write(character);
    await serving.clock.advance(step);
  }
  return serving.clock.now() - start;
}

describe("a slow client", () => {
  it("is closed if it sends nothing", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.clock.advance(999);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded("core.timeout");
    assert.equal(serving.client.text, "");
  });

  it("is closed if it sends only an empty line", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.clock.advance(500);
    await serving.send("\r\n");
    await serving.clock.advance(500);
    serving.assertEnded("core.timeout");
    assert.equal(serving.client.text, "");
  });

  it("gets 408 if the head comes byte by byte and takes longer than one head may", async () => {
    const serving = new Serving(ok, { timeouts });
    assert.equal(await drip(serving, get("/", `A: ${"x".repeat(100)}\r\n`)), 1000);
    assert.deepEqual(serving.statuses, [408]);
    await serving.end("core.timeout");
  });

  it("gets 408 for its second request too, whose time begins at its first byte", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send(get("/"));
    await serving.clock.advance(1900);
    assert.equal(await drip(serving, get("/", `A: ${"x".repeat(100)}\r\n`)), 1000);
    assert.deepEqual(serving.statuses, [200, 408]);
    await serving.end("core.timeout");
  });

  it("gets 408 for a head whose beginning came right after a request", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send(`${get("/")}GET`);
    await serving.clock.advance(1000);
    assert.deepEqual(serving.statuses, [200, 408]);
    await serving.end("core.timeout");
  });

  it("is closed if it is idle between requests; an empty line changes nothing", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send(get("/"));
    await serving.clock.advance(1500);
    await serving.send(get("/"));
    await serving.send("\r\n");
    await serving.clock.advance(1999);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded();
    assert.deepEqual(serving.statuses, [200, 200]);
  });

  it("gets one answer if its head is completed after the refusal", async () => {
    let asked = 0;
    const serving = new Serving(
      () => {
        asked++;
        return new Response();
      },
      { timeouts, peerPair: { capacity: 10 }, paused: true },
    );
    const text = get("/");
    await serving.send(text.slice(0, 10));
    await serving.clock.advance(1000);
    await serving.send(text.slice(10) + get("/2"));
    serving.client.resume();
    await quiet(20);
    assert.deepEqual([asked, serving.statuses], [0, [408]]);
    await serving.end("core.timeout");
  });

  it("gets 408 if the body comes byte by byte and takes longer than one body may", async () => {
    const serving = new Serving(whole, { timeouts });
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    assert.equal(await drip(serving, "x".repeat(100)), 3000);
    assert.deepEqual(serving.statuses, [408]);
    await serving.end("core.timeout");
  });

  it("gets 408 if the body never comes, also after 100 (Continue)", async () => {
    for (const expect of ["", "Expect: 100-continue\r\n"]) {
      const serving = new Serving(whole, { timeouts });
      await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n${expect}\r\n`);
      await serving.clock.advance(2999);
      assert.doesNotMatch(serving.client.text, /408/);
      await serving.clock.advance(1);
      assert.deepEqual(serving.statuses, expect === "" ? [408] : [100, 408]);
      await serving.end("core.timeout");
    }
  });

  for (const [what, handler] of [
    ["many responses", ok],
    ["a large one", () => new Response({ body: new Uint8Array(1_000_000) })],
    [
      "one in parts",
      () =>
        new Response({
          body: (async function* (): AsyncGenerator<Uint8Array, undefined> {
            for (;;) yield new Uint8Array(1000);
          })() as never,
        }),
    ],
  ] as [string, RequestHandler][]) {
    it(`is cut if it takes none of ${what}`, async () => {
      let asked = 0;
      const counted: RequestHandler = (...given) => {
        asked++;
        return handler(...given);
      };
      const serving = new Serving(counted, { timeouts, peerPair: { capacity: 5000 }, paused: true });
      serving.client.write(get("/").repeat(20_000));
      await serving.clock.advance(0);
      for (let i = 0; i < 50; i++) await serving.clock.advance(0);
      // What it asks for is not read on, let alone answered, while it takes no answers.
      assert.ok(asked < 3000, String(asked));
      assert.ok(serving.stream.unread <= 65_536);
      await serving.clock.advance(3900);
      assert.equal(serving.completions, 0);
      await serving.clock.advance(100);
      serving.assertEnded("core.timeout");
    });
  }

  it("is served to the end if it takes a few bytes now and then", async () => {
    const serving = new Serving(() => new Response({ body: new Uint8Array(1000) }), {
      timeouts: { ...timeouts, keepAlive: Infinity },
      peerPair: { capacity: 100 },
      paused: true,
    });
    await serving.send(get("/"));
    await until(
      () => serving.client.text.length >= 1000,
      async () => {
        await serving.clock.advance(3900);
        assert.equal(serving.completions, 0);
        serving.client.resume();
        serving.client.pause();
      },
    );
    serving.client.resume();
    await quiet(4);
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });

  it("is closed if it does not end its side after a refusal, and serve completes with the cause of the refusal", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send("\0");
    await serving.clock.advance(4999);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded("http.bad_method");
  });

  it("has no deadline with Infinity", async () => {
    const never = { header: Infinity, keepAlive: Infinity, body: Infinity, write: Infinity };
    const serving = new Serving(whole, { timeouts: never, peerPair: { capacity: 10 }, paused: true });
    await serving.clock.advance(1e9);
    await serving.send(post("12").slice(0, -1));
    await serving.clock.advance(1e9);
    await serving.send("2");
    await serving.clock.advance(1e9);
    assert.equal(serving.clock.pending, 0);
    serving.client.resume();
    await quiet(20);
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });
});

describe("an endless client", () => {
  /** Sends a text again and again, until it is told off. Returns how many bytes that were. */
  async function flood(serving: Serving, text: string): Promise<number> {
    let sent = 0;
    while (!serving.client.ended && sent < 10_000_000) {
      serving.client.write(text);
      sent += text.length;
      await quiet();
    }
    return sent;
  }

  for (const [what, begin, more, status, code] of [
    ["header", "GET / HTTP/1.1\r\nHost: h\r\nA: ", "x".repeat(1000), 431, "http.header_limit"],
    ["list of fields", "GET / HTTP/1.1\r\nHost: h\r\n", "A: b\r\n".repeat(10), 431, "http.field_limit"],
    ["target", "GET /", "x".repeat(1000), 414, "http.target_limit"],
    ["method", "", "X".repeat(1000), 501, "http.method_limit"],
    [
      "chunk extension",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;",
      "x".repeat(1000),
      413,
      "http.chunk_extension_limit",
    ],
    [
      "stream of small chunks with extensions",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
      `1;${"x".repeat(100)}\r\ny\r\n`,
      413,
      "http.chunk_extension_limit",
    ],
    [
      "chunked body",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
      `2710\r\n${"x".repeat(10_000)}\r\n`,
      413,
      "http.body_limit",
    ],
    [
      "trailer",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
      "x".repeat(1000),
      431,
      "http.header_limit",
    ],
  ] as const) {
    it(`gets ${status} for an endless ${what}`, async () => {
      const serving = new Serving(whole, { timeouts, maxBodySize: 100_000 });
      await serving.send(begin);
      assert.ok((await flood(serving, more)) < 200_000);
      assert.deepEqual(serving.statuses, [status]);
      await serving.end(code);
    });
  }

  it("gets 400 for endless empty lines before its request", async () => {
    const serving = new Serving(ok, { timeouts });
    await flood(serving, "\r\n");
    assert.deepEqual(serving.statuses, [400]);
    await serving.end("http.bad_method");
  });

  it("is read for a while after a refusal, and its bytes are dropped", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send("\0");
    for (let i = 0; i < 50; i++) {
      serving.client.write("x".repeat(10_000));
      await serving.clock.advance(100);
    }
    serving.assertEnded("http.bad_method");
  });
});
