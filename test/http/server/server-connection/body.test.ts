// The bodies of requests that are served: read, asked for, left alone, and what is wrong with them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1 } from "../../../../src/core/text.ts";
import { IncomingBody, Response, type IncomingRequest, type RequestHandler } from "../../../../src/http/index.ts";
import { deferred, quiet } from "../../../support/quiet.ts";
import { get, post, Serving } from "../../support/serving.ts";

const chunked = (chunks: string): string => `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
const expecting = "Expect: 100-continue\r\n";

/** Answers with the whole body. */
const whole: RequestHandler = async (request) => new Response({ body: await request.bytes() });
/** Sends the body back as it comes. */
const echo: RequestHandler = (request) => new Response({ body: request.body });
/** Does not look at it. */
const deaf: RequestHandler = () => new Response({ body: "deaf" });

function bodyOf(request: IncomingRequest): IncomingBody {
  assert.ok(request.body instanceof IncomingBody);
  return request.body;
}

describe("the body of a request", () => {
  for (const [how, handler] of Object.entries({ whole, echo })) {
    for (const [framing, text] of [
      ["with a length", post("hello world")],
      ["chunked", chunked("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: x\r\n\r\n")],
    ] as const) {
      it(`${framing}, ${how}: whole, byte by byte, in pieces, with a request after it`, async () => {
        for (const maxRead of [Infinity, 1, 3]) {
          const serving = new Serving(handler, { pair: { maxRead } });
          await serving.send(text + text + get("/"));
          await quiet(20);
          assert.deepEqual(
            serving.responses().map(({ body }) => body),
            ["hello world", "hello world", ""],
          );
          await serving.end();
        }
      });
    }
  }

  it("comes in parts that belong to the handler, and is read as they are asked for", async () => {
    const parts: Uint8Array[] = [];
    let body!: IncomingBody;
    const { promise, resolve } = deferred<Response>();
    const serving = new Serving((request) => {
      body = bodyOf(request);
      return promise;
    });
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    assert.deepEqual([body.size, body.isDone], [9, false]);
    const source = body[Symbol.asyncIterator]();
    parts.push((await source.next()).value!);
    await serving.send("def");
    parts.push((await source.next()).value!);
    const third = source.next();
    await serving.send("ghi");
    parts.push((await third).value!);
    assert.equal(body.isDone, true);
    assert.deepEqual(await source.next(), { done: true, value: undefined });
    resolve(new Response());
    await quiet();
    assert.equal(parts.map((part) => decodeLatin1(part)).join(), "abc,def,ghi");
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });

  it("has its trailer after it", async () => {
    const serving = new Serving(async (request) => {
      await request.bytes();
      return new Response({ body: bodyOf(request).trailers.get("t")! });
    });
    await serving.send(chunked("0\r\nT: x\r\n\r\n"));
    assert.equal(serving.responses()[0]!.body, "x");
    await serving.end();
  });

  it("stops the client while the handler does not read, and is sent back no faster than the client reads", async () => {
    const serving = new Serving(echo, { pair: { capacity: 1000 }, peerPair: { capacity: 1000 }, paused: true });
    await serving.send(post("x".repeat(50_000)));
    await quiet(10);
    // What is on the way: one part, and what either side has room for.
    assert.ok(serving.client.stream.unread <= 1000 && serving.stream.unread <= 1000);
    assert.equal(serving.client.text, "");
    serving.client.resume();
    await quiet(100);
    assert.equal(serving.responses()[0]!.body.length, 50_000);
    await serving.end();
  });

  for (const maxRead of [Infinity, 3]) {
    it(`can be read once, and not after its response, in pieces of ${maxRead}`, async () => {
      let body!: IncomingBody;
      const serving = new Serving(
        async (request) => {
          body = bodyOf(request);
          assert.equal((await request.bytes()).length, 3);
          await assert.rejects(request.bytes(), { code: "http.body_used" });
          assert.deepEqual([body.isDone, body.size, body.trailers.size], [true, 3, 0]);
          return new Response();
        },
        { pair: { maxRead } },
      );
      await serving.send(post("abc"));
      await quiet(20);
      assert.deepEqual(serving.statuses, [200]);
      await serving.end();

      const later = new Serving(
        (request) => {
          body = bodyOf(request);
          return new Response();
        },
        { pair: { maxRead } },
      );
      await later.send(post("abc"));
      await quiet(20);
      await assert.rejects(body.next(), { code: "http.body_used" });
      assert.equal(body.isDone, true);
      await later.end();
    });

    it(`has to be read before the stream is taken over, in pieces of ${maxRead}`, async () => {
      const refused: unknown[] = [];
      const serving = new Serving(
        async (request, exchange) => {
          assert.throws(
            () => exchange.release(),
            (error: { code: string }) => refused.push(error.code) > 0,
          );
          await request.bytes();
          assert.equal(decodeLatin1(exchange.release()), "");
          return undefined;
        },
        { pair: { maxRead } },
      );
      await serving.send(post("abc", "Upgrade: x\r\nConnection: upgrade\r\n"));
      await quiet(20);
      assert.deepEqual(refused, ["core.invalid_argument"]);
    });
  }
});

describe("a client that expects 100 (Continue)", () => {
  it("gets 100 when the body is asked for, once", async () => {
    for (const handler of [whole, echo]) {
      const serving = new Serving(handler);
      await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${expecting}\r\n`);
      assert.ok(serving.client.text.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
      // Sent back, the head of the response is there already.
      assert.equal(serving.client.text.includes(" 200 "), handler === echo);
      await serving.send("he");
      await serving.send(`llo${get("/")}`);
      assert.deepEqual(
        serving.responses().map(({ status, body }) => [status, body]),
        [
          [100, ""],
          [200, "hello"],
          [200, ""],
        ],
      );
      await serving.end();
    }
  });

  it("gets 100 after the responses to earlier requests", async () => {
    const serving = new Serving((request) => (request.method === "GET" ? deaf : whole)(request, undefined as never), {
      pair: { maxWrite: 1 },
    });
    await serving.send(`${get("/")}POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n${expecting}\r\n`);
    await quiet(10);
    assert.deepEqual(serving.statuses, [200, 100]);
    await serving.send("x");
    await quiet(10);
    assert.equal(serving.responses()[2]!.body, "x");
    await serving.end();
  });

  it("gets the response at once if the body is not read, and the connection ends", async () => {
    for (const handler of [deaf, async () => Promise.resolve(new Response({ body: "deaf" }))]) {
      const serving = new Serving(handler);
      await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${expecting}\r\n`);
      const [response] = serving.responses();
      assert.deepEqual([response!.body, response!.headers["connection"]], ["deaf", "close"]);
      assert.equal(serving.client.ended, true);
      await serving.end();
    }
  });

  it("gets no 100 after the final response", async () => {
    const serving = new Serving((request) => {
      async function* body(): AsyncGenerator<Uint8Array, undefined> {
        yield Buffer.from("first ");
        yield* request.body as IncomingBody;
      }
      return new Response({ body: body() });
    });
    await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${expecting}\r\n`);
    await serving.send("hello");
    assert.equal(serving.responses().length, 1);
    assert.equal(serving.responses()[0]!.body, "first hello");
    await serving.end();
  });

  it("gets no 100 with HTTP/1.0", async () => {
    const serving = new Serving(whole);
    await serving.send(`POST / HTTP/1.0\r\nContent-Length: 5\r\n${expecting}\r\n`);
    assert.equal(serving.client.text, "");
    await serving.send("hello");
    assert.equal(serving.responses()[0]!.body, "hello");
    await serving.end();
  });

  it("is served if it has already sent the body", async () => {
    const serving = new Serving(whole);
    await serving.send(post("hello", expecting) + get("/"));
    assert.deepEqual(serving.statuses, [100, 200, 200]);
    await serving.end();
  });

  it("gets 100 before the response also if the handler does not wait for the body", async () => {
    for (const result of ["sync", "throws", "async"]) {
      const serving = new Serving((request) => {
        void bodyOf(request).next();
        if (result === "throws") throw new Error("mine");
        const response = new Response({ body: "x".repeat(20_000) });
        return result === "sync" ? response : Promise.resolve(response);
      });
      await serving.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n${expecting}\r\n`);
      assert.deepEqual(serving.statuses, [100, result === "throws" ? 500 : 200]);
      await serving.send(`hello${get("/2").replace("GET", "DELETE")}`);
      assert.equal(serving.statuses.length, 3);
      await serving.end();
    }
  });

  it("is refused if it has another expectation", async () => {
    const serving = new Serving(() => assert.fail("was asked"));
    await serving.send(post("hello", "Expect: the-unexpected\r\n"));
    assert.deepEqual(serving.statuses, [417]);
    await serving.end("http.expectation_failed");
  });
});

describe("a body that is not read", () => {
  it("is read to its end, and the connection goes on", async () => {
    for (const maxRead of [Infinity, 7]) {
      for (const text of [post("x".repeat(60_000)), chunked("5\r\nhello\r\n0\r\n\r\n")]) {
        const serving = new Serving(deaf, { pair: { maxRead } });
        await serving.send(text + get("/"));
        await quiet(50);
        assert.deepEqual(serving.statuses, [200, 200]);
        await serving.end();
      }
    }
  });

  it("is never parsed as a request, also if the handler replaces `request.body`", async () => {
    const serving = new Serving((request) => {
      request.body = Buffer.from("parsed");
      return new Response();
    });
    await serving.send(post(get("/smuggled")) + get("/"));
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });

  it("ends the connection if it is too long, and the response says so if the length is known", async () => {
    for (const [text, connection] of [
      ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", "close"],
      [chunked(`11000\r\n${"x".repeat(0x11000)}\r\n`), undefined],
    ] as const) {
      const serving = new Serving(deaf);
      await serving.send(text);
      await quiet(20);
      assert.deepEqual(serving.statuses, [200]);
      assert.equal(serving.responses()[0]!.headers["connection"], connection);
      assert.equal(serving.client.ended, true);
      await serving.end();
    }
  });

  it("ends the connection if it fails", async () => {
    const serving = new Serving(deaf);
    await serving.send(chunked("x"));
    assert.deepEqual(serving.statuses, [200]);
    await serving.end("http.bad_chunk");
  });

  it("is waited for until timeouts.body", async () => {
    const serving = new Serving(deaf, { timeouts: { body: 1000 } });
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
    await serving.clock.advance(999);
    assert.equal(serving.client.ended, false);
    await serving.clock.advance(1);
    assert.equal(serving.client.ended, true);
    await serving.end("core.timeout");
  });

  it("is withdrawn from code that still reads it", async () => {
    let pending!: Promise<unknown>;
    const serving = new Serving((request) => {
      pending = bodyOf(request).next();
      return new Response();
    });
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    assert.deepEqual(serving.statuses, [200]);
    await serving.send(`hello${get("/").replace("GET", "PUT")}`);
    assert.equal(((await pending) as { value: Uint8Array }).value.length, 5);
    assert.equal(serving.statuses.length, 2);
    await serving.end();
  });

  it("is withdrawn also while its last part is being read", async () => {
    const parts: Promise<IteratorResult<Uint8Array>>[] = [];
    const serving = new Serving((request) => {
      if (request.body instanceof IncomingBody) parts.push(request.body.next());
      return new Response();
    });
    await serving.send(post("hello") + get("/") + post("world"));
    assert.deepEqual(serving.statuses, [200, 200, 200]);
    const read = (await Promise.all(parts)).map(({ value }) => decodeLatin1(value as Uint8Array));
    assert.deepEqual(read, ["hello", "world"]);
    await serving.end();
  });

  it("is read to its end also if the handler has read part of it", async () => {
    const serving = new Serving(
      async (request) => {
        for await (const part of bodyOf(request)) return new Response({ body: part });
        return new Response();
      },
      { pair: { maxRead: 200 } },
    );
    await serving.send(post("x".repeat(1000)) + get("/"));
    await quiet(10);
    assert.equal(serving.responses().length, 2);
    await serving.end();
  });
});
