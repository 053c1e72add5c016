// Taking the stream over, stopping, aborting, and being alone on the stream.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1, encodeLatin1 } from "../../../../src/core/text.ts";
import { Response, serve, type Body, type Exchange, type RequestHandler } from "../../../../src/http/index.ts";
import { pair, VirtualClock } from "../../../../src/testing/index.ts";
import { deferred, quiet } from "../../../support/quiet.ts";
import { get, HandBody, post, Serving } from "../../support/serving.ts";

const upgrade = (headers = ""): string => get("/up", `Connection: Upgrade\r\nUpgrade: x\r\n${headers}`);
const ok: RequestHandler = ({ target }) => new Response({ body: target });

/** Takes the stream over where that is asked for, once `wait` is over, and keeps what it got. */
function taking(wait: () => Promise<void> | undefined): { handler: RequestHandler; released: string | undefined } {
  const taker: ReturnType<typeof taking> = {
    released: undefined,
    handler: (request, exchange) => {
      if (!request.headers.has("Upgrade") && request.method !== "CONNECT") return ok(request, exchange);
      const take = (): undefined => {
        taker.released = decodeLatin1(exchange.release());
      };
      const waiting = wait();
      return waiting === undefined ? take() : waiting.then(take);
    },
  };
  return taker;
}

describe("release", () => {
  for (const [when, wait] of [
    ["at once", () => undefined],
    ["in a microtask", () => Promise.resolve()],
    ["later", () => quiet(3)],
  ] as const) {
    it(`${when}: gives the bytes after the request, for any split, with requests before it`, async () => {
      for (const first of [upgrade(), "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"]) {
        const all = `${get("/1")}${get("/2")}${first}\x81\x02hi${get("/not")}`;
        for (const at of [0, 10, get("/1").length, all.indexOf("\x81"), all.indexOf("\x81") + 2, all.length]) {
          const taker = taking(wait);
          const serving = new Serving(taker.handler);
          serving.client.write(all.slice(0, at));
          await quiet();
          // While nobody reads, the rest stays in the stream.
          await serving.send(all.slice(at));
          await quiet(4);
          assert.deepEqual(serving.statuses, [200, 200]);
          assert.deepEqual([serving.completions, serving.error, serving.stream.closed], [1, undefined, false]);
          serving.assertNothingLeft();
          // It is the handler's now: both directions are free.
          let rest = "";
          serving.stream.readSome((_, bytes) => (rest = decodeLatin1(bytes!)));
          await quiet();
          assert.equal(taker.released + rest, `\x81\x02hi${get("/not")}`);
          await new Promise((resolve) => serving.stream.writeSome(encodeLatin1("mine"), resolve));
          await quiet();
          assert.ok(serving.client.text.endsWith("mine"));
        }
      }
    });
  }

  it("finds no write in flight, also if earlier responses are slow to leave", async () => {
    let atRelease = "";
    const serving: Serving = new Serving(
      (request, exchange) => {
        if (!request.headers.has("Upgrade")) return ok(request, exchange);
        exchange.release();
        atRelease = serving.client.text;
        exchange.stream.writeSome(encodeLatin1("!"), () => {});
        return undefined;
      },
      { pair: { maxWrite: 1 } },
    );
    await serving.send(get("/1") + upgrade());
    await quiet(20);
    assert.match(atRelease + serving.client.text.slice(atRelease.length), /\/1!$/);
    assert.equal(serving.completions, 1);
  });

  it("gives bytes that belong to the handler, and completes serve outside the handler's calls", async () => {
    let inside = 0;
    let completed = 0;
    const [stream, peer] = pair();
    const clock = new VirtualClock();
    const served = deferred();
    serve(
      stream,
      (_, exchange) => {
        const bytes = exchange.release();
        inside = completed;
        queueMicrotask(() => assert.equal(decodeLatin1(bytes), "rest"));
        return undefined;
      },
      { clock },
      () => {
        completed++;
        served.resolve();
      },
    );
    peer.writeSome(encodeLatin1(`${upgrade()}rest`), () => {});
    await served.promise;
    assert.deepEqual([inside, completed, clock.pending, stream.closed], [0, 1, 0, false]);
  });

  it("throws for a request that asks for no other protocol, and for one whose body has not been read", async () => {
    const codes: string[] = [];
    const attempt = (exchange: Exchange): void => {
      try {
        exchange.release();
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    };
    const serving = new Serving(async (request, exchange) => {
      attempt(exchange);
      if (request.method === "POST") {
        await request.bytes();
        exchange.release();
        return undefined;
      }
      return new Response();
    });
    await serving.send(get("/"));
    await serving.send(`${post("body", "Upgrade: x\r\n")}rest`);
    assert.deepEqual(codes, ["core.invalid_argument", "core.invalid_argument"]);
    assert.deepEqual([serving.completions, serving.error, serving.stream.closed], [1, undefined, false]);
    serving.assertNothingLeft();
  });

  it("is not needed for CONNECT to end the requests: later bytes may belong to the tunnel", async () => {
    for (const status of [200, 405]) {
      const serving = new Serving((request) => new Response({ status: request.method === "CONNECT" ? status : 299 }));
      await serving.send(`CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n${get("/inside")}`);
      assert.deepEqual(serving.statuses, [status]);
      assert.equal(serving.responses()[0]!.headers["connection"], "close");
      await serving.end();
    }
  });

  it("throws after the answer, a second time, and while the answer is being sent", async () => {
    let exchange!: Exchange;
    const body = new HandBody();
    const serving = new Serving(
      (_, given) => {
        exchange = given;
        return new Response<Body>({ body });
      },
      { peerPair: { capacity: 10 }, paused: true },
    );
    await serving.send(upgrade());
    assert.throws(() => exchange.release(), { code: "core.invalid_argument" });
    serving.client.resume();
    await quiet(20);
    await body.give();
    assert.throws(() => exchange.release(), { code: "core.invalid_argument" });
    assert.equal(serving.responses().length, 1);
    await serving.end();

    const twice = new Serving((_, given) => {
      given.release();
      assert.throws(() => given.release(), { code: "core.invalid_argument" });
      return undefined;
    });
    await twice.send(upgrade());
    assert.deepEqual([twice.completions, twice.errors], [1, []]);
  });

  it("is optional: an upgrade that is not released is answered as any other request", async () => {
    const serving = new Serving(ok);
    await serving.send(upgrade() + get("/2"));
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });

  it("drops a response that the handler returns after it", async () => {
    const body = new HandBody();
    const serving = new Serving((_, exchange) => {
      exchange.release();
      return new Response<Body>({ body });
    });
    await serving.send(upgrade());
    assert.deepEqual([body.asked, body.drops, serving.client.text], [0, 1, ""]);
  });

  it("throws after the end of the connection", async () => {
    const controller = new AbortController();
    const { promise, resolve } = deferred();
    let thrown: unknown;
    const serving = new Serving(
      async (_, exchange) => {
        await promise;
        try {
          exchange.release();
        } catch (error) {
          thrown = error;
        }
        return undefined;
      },
      { signal: controller.signal },
    );
    await serving.send(upgrade());
    controller.abort();
    resolve();
    await quiet();
    assert.equal((thrown as { code: string }).code, "core.invalid_argument");
    serving.assertEnded("core.aborted");
  });
});

describe("stop", () => {
  it("ends an idle connection at once, before and between requests", async () => {
    for (const text of ["", get("/"), `${get("/")}\r\n`]) {
      const controller = new AbortController();
      const serving = new Serving(ok, { stop: controller.signal });
      await serving.send(text);
      controller.abort();
      assert.equal(serving.completions, 0, "inside the call");
      await quiet();
      serving.assertEnded();
    }
  });

  it("lets a request that has begun end, answers those that come with its end, and reads no other", async () => {
    for (const [begin, more] of [
      ["GET / HT", "TP/1.1\r\nHost: h\r\n\r\n"],
      [post("hello").slice(0, -3), "llo"],
    ] as const) {
      const controller = new AbortController();
      const serving = new Serving(async (request) => new Response({ body: await request.bytes() }), {
        stop: controller.signal,
      });
      await serving.send(begin);
      controller.abort();
      await quiet();
      await serving.send(more + get("/last"));
      await serving.send(get("/never"));
      assert.deepEqual(serving.statuses, [200, 200]);
      assert.deepEqual(
        serving.responses().map(({ headers }) => headers["connection"]),
        [undefined, "close"],
      );
      assert.equal(serving.client.ended, true);
      await serving.end();
    }
  });

  it("answers requests that came with one whose response has announced that the connection is kept", async () => {
    const controller = new AbortController();
    const body = new HandBody();
    const handler: RequestHandler = ({ target }) => new Response<Body>(target === "/" ? { body } : {});
    const serving = new Serving(handler, { stop: controller.signal });
    await serving.send(get("/") + get("/last"));
    controller.abort();
    await body.give("x");
    await body.give();
    assert.deepEqual(serving.statuses, [200, 200]);
    assert.equal(serving.responses()[1]!.headers["connection"], "close");
    assert.equal(serving.client.ended, true);
    await serving.end();
  });

  it("may be fired by a handler, and may have fired before", async () => {
    const controller = new AbortController();
    const serving = new Serving(
      () => {
        controller.abort();
        return new Response();
      },
      { stop: controller.signal },
    );
    await serving.send(get("/").repeat(3));
    await serving.send(get("/never"));
    assert.deepEqual(serving.statuses, [200, 200, 200]);
    await serving.end();

    const before = new Serving(ok, { stop: AbortSignal.abort() });
    await quiet();
    before.assertEnded();
  });

  it("does not affect a released stream", async () => {
    const controller = new AbortController();
    const serving = new Serving(
      (_, exchange) => {
        exchange.release();
        return undefined;
      },
      { stop: controller.signal, signal: controller.signal },
    );
    await serving.send(upgrade());
    controller.abort();
    await quiet();
    assert.equal(serving.stream.closed, false);
    assert.equal(serving.completions, 1);
  });
});

describe("signal", () => {
  it("closes the connection in every state", async () => {
    const body = new HandBody();
    const text = `${get("/1")}${post("hello", "Expect: 100-continue\r\n")}${get("/parts")}`;
    const handler: RequestHandler = async (request) => {
      if (request.target === "/parts") return new Response<Body>({ body });
      return new Response({ body: await request.bytes() });
    };
    for (let turns = 0; turns < 60; turns++) {
      const controller = new AbortController();
      const serving = new Serving(handler, { signal: controller.signal, pair: { maxRead: 30, maxWrite: 40 } });
      serving.client.write(text);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort("enough");
      await quiet(2);
      serving.assertEnded("core.aborted");
      assert.equal(serving.error?.cause, "enough");
      assert.deepEqual(serving.errors, []);
    }
  });

  it("may have fired before", async () => {
    const serving = new Serving(ok, { signal: AbortSignal.abort(), buffered: encodeLatin1(get("/")) });
    await quiet();
    serving.assertEnded("core.aborted");
  });
});

describe("an operation on the stream by other code", () => {
  it("is misuse if it reads, and does no harm", async () => {
    const [stream, peer] = pair();
    let read = "";
    stream.readSome((_, bytes) => (read = decodeLatin1(bytes!)));
    const clock = new VirtualClock();
    assert.throws(() => serve(stream, ok, { clock }, assert.fail), { code: "core.operation_pending" });
    await assert.rejects(serve(stream, ok, { clock }), { code: "core.operation_pending" });
    peer.writeSome(encodeLatin1("x"), () => {});
    await quiet();
    assert.deepEqual([read, clock.pending, stream.closed], ["x", 0, false]);
  });

  it("ends the connection if it comes between two of the server's", async () => {
    for (const operation of ["read", "write", "write, in parts", "read of the body"]) {
      const serving: Serving = new Serving(
        async (request) => {
          if (operation.startsWith("read")) serving.stream.readSome(() => {});
          else {
            await new Promise((resolve) => serving.stream.writeSome(new Uint8Array(10), resolve));
            // There is no room for this one.
            serving.stream.writeSome(new Uint8Array(1), () => {});
          }
          if (operation === "read of the body") return new Response({ body: await request.bytes() });
          if (operation !== "write, in parts") return new Response();
          return new Response<Body>({ body: new HandBody() });
        },
        { peerPair: { capacity: 10 }, paused: true },
      );
      await serving.send(operation === "read of the body" ? post("hello").slice(0, -3) : get("/"));
      serving.client.resume();
      await quiet(20);
      serving.assertEnded("core.operation_pending");
    }
  });

  it("throws at once if the completion handler is no function", () => {
    const [stream] = pair();
    assert.throws(() => serve(stream, ok, {}, {} as never), { code: "core.invalid_argument" });
    assert.equal(stream.operations, 0);
  });
});
