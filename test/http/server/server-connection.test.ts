import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response, type IncomingRequest, type RequestHandler } from "../../../src/http/index.ts";
import { everyFailure } from "../../../src/testing/index.ts";
import { outcomes } from "../../support/outcomes.ts";
import { deferred, quiet } from "../../support/quiet.ts";
import { get, post, Serving } from "../support/serving.ts";

const hello: RequestHandler = ({ target }) => new Response({ body: `hello ${target}` });
const later: RequestHandler = async (request, exchange) => {
  await Promise.resolve();
  return hello(request, exchange);
};
const inParts: RequestHandler = ({ target }) => {
  async function* body(): AsyncGenerator<Uint8Array, undefined> {
    yield Buffer.from("hello ");
    await Promise.resolve();
    yield Buffer.from(target);
  }
  return new Response({ body: body() });
};

/** Answers in a way that its target tells. */
const mixed: RequestHandler = (request, exchange) => {
  if (request.target.includes("later")) return later(request, exchange);
  if (request.target.includes("parts")) return inParts(request, exchange);
  return hello(request, exchange);
};

describe("a served connection", () => {
  for (const [name, handler] of Object.entries({ hello, later, inParts })) {
    for (const maxRead of [Infinity, 1, 7]) {
      for (const maxWrite of [Infinity, 1]) {
        it(`answers requests in order: ${name}, reads of ${maxRead}, writes of ${maxWrite}`, async () => {
          const serving = new Serving(handler, { pair: { maxRead, maxWrite } });
          await serving.send(get("/1") + get("/2"));
          await serving.send(get("/3"));
          await serving.send(`\r\n${get("/4")}`);
          assert.deepEqual(
            serving.responses().map(({ status, body }) => [status, body]),
            [1, 2, 3, 4].map((n) => [200, `hello /${n}`]),
          );
          await serving.end();
        });
      }
    }
  }

  it("keeps pipelined requests in order, however each is answered and however they come", async () => {
    const targets = ["/1", "/later2", "/parts3", "/4", "/5", "/later6", "/later7", "/parts8", "/parts9", "/10"];
    const all = targets.map((target) => get(target)).join("");
    for (const pieces of [[all], [...all], [all.slice(0, 50), all.slice(50, 200), all.slice(200)]]) {
      const serving = new Serving(mixed);
      for (const piece of pieces) {
        serving.client.write(piece);
        if (pieces.length < 10) await quiet();
      }
      await quiet(4);
      assert.deepEqual(
        serving.responses().map(({ body }) => body),
        targets.map((target) => `hello ${target}`),
      );
      await serving.end();
    }
  });

  it("writes the responses to all requests of one read at once", async () => {
    const serving = new Serving(hello);
    await serving.send(get("/").repeat(100));
    assert.equal(serving.responses().length, 100);
    // One write, a read before and one behind it.
    assert.equal(serving.stream.operations, 3);
    await serving.end();
  });

  it("does not hold back the responses that are ready for one that is not", async () => {
    const { promise, resolve } = deferred<Response>();
    const serving = new Serving((request, exchange) =>
      request.target === "/slow" ? promise : hello(request, exchange),
    );
    await serving.send(get("/1") + get("/slow") + get("/3"));
    assert.deepEqual(
      serving.responses().map(({ body }) => body),
      ["hello /1"],
    );
    resolve(new Response({ body: "at last" }));
    await quiet(2);
    assert.deepEqual(
      serving.responses().map(({ body }) => body),
      ["hello /1", "at last", "hello /3"],
    );
    await serving.end();
  });

  it("answers one at a time", async () => {
    let answering = 0;
    const serving = new Serving(async () => {
      assert.equal(++answering, 1);
      await quiet();
      answering--;
      return new Response();
    });
    await serving.send(get("/").repeat(20));
    await quiet(60);
    assert.equal(serving.responses().length, 20);
    await serving.end();
  });

  it("takes bytes that were read before", async () => {
    for (const at of [0, 5, get("/1").length, get("/1").length + 5]) {
      const all = get("/1") + get("/2");
      const buffered = Buffer.from(all.slice(0, at));
      const serving = new Serving(hello, { buffered });
      buffered.fill(0);
      await serving.send(all.slice(at));
      assert.equal(serving.responses().length, 2);
      await serving.end();
    }
  });

  it("owns no buffer while it is idle, and none of a request that comes in one piece", async () => {
    const serving = new Serving(hello);
    await serving.send(get("/"));
    assert.equal(serving.stream.reading, true);
    await serving.end();
  });

  it("gives a request's strings, not views of borrowed bytes", async () => {
    let request!: IncomingRequest;
    const serving = new Serving(async (given) => {
      request = given;
      await quiet();
      return new Response({ body: `${given.target} ${given.headers.get("a")}` });
    });
    await serving.send(get("/x", "A: b\r\n"));
    assert.equal(serving.responses()[0]!.body, "/x b");
    assert.deepEqual([request.method, request.body], ["GET", new Uint8Array(0)]);
    await serving.end();
  });

  it("returns a promise without a completion handler", async () => {
    const { serve } = await import("../../../src/http/index.ts");
    const { pair } = await import("../../../src/testing/index.ts");
    const [stream, peer] = pair();
    const served = serve(stream, hello);
    peer.end();
    assert.equal(await served, undefined);
    peer.close();
  });
});

describe("a served connection is kept or ended", () => {
  for (const [what, request, response, keeps, connection] of [
    ["HTTP/1.1", get("/"), {}, true, undefined],
    ["HTTP/1.1 with close", get("/", "Connection: close\r\n"), {}, false, "close"],
    ["HTTP/1.1 with close among others", get("/", "Connection: foo, Close\r\n"), {}, false, "close"],
    ["a response with close", get("/"), { Connection: "close" }, false, "close"],
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", {}, false, "close"],
    ["HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {}, true, "keep-alive"],
    [
      "HTTP/1.0 with Keep-Alive, and close",
      "GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n",
      {},
      false,
      "close",
    ],
  ] as const) {
    it(`after ${what}`, async () => {
      const serving = new Serving(() => new Response({ headers: response, body: "x" }));
      await serving.send(request + (keeps ? request : get("/never")));
      const seen = serving.responses();
      assert.equal(seen.length, keeps ? 2 : 1);
      assert.equal(seen[0]!.headers["connection"], connection);
      assert.equal(serving.client.ended, !keeps);
      await serving.end();
    });
  }

  it("a body of unknown size to HTTP/1.0 ends with the connection", async () => {
    const serving = new Serving(inParts);
    await serving.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert.match(serving.client.text, /^HTTP\/1.1 200 OK\r\nConnection: close\r\n\r\nhello \/x$/);
    assert.equal(serving.client.ended, true);
    await serving.end();
  });

  it("after its end, what the client still sends is read and dropped, for a while", async () => {
    const serving = new Serving(hello);
    await serving.send(get("/", "Connection: close\r\n"));
    await serving.send("x".repeat(200_000));
    assert.deepEqual([serving.completions, serving.client.error], [0, undefined]);
    await serving.clock.advance(4_999);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded();
  });

  it("after the client's end, once all that it has asked for is answered", async () => {
    for (const handler of [hello, later, inParts]) {
      const serving = new Serving(handler);
      serving.client.write(get("/1") + get("/2"));
      serving.client.stream.end();
      await quiet(4);
      assert.equal(serving.responses().length, 2);
      serving.assertEnded();
    }
  });

  it("with http.partial_message inside a request, which nobody answers", async () => {
    for (const part of ["G", get("/").slice(0, -1), post("hello").slice(0, -1)]) {
      const serving = new Serving((request) => request.text().then((body) => new Response({ body })));
      await serving.send(part);
      await serving.end("http.partial_message");
      assert.doesNotMatch(serving.client.text, / 200 /);
    }
  });
});

describe("whatever fails below", () => {
  for (const [name, handler] of Object.entries({ hello, later, inParts, mixed })) {
    it(`${name}: it completes once, with that, and leaves nothing`, async () => {
      const text = get("/1") + get("/later2", "X: y\r\n") + post("body") + get("/parts3", "Connection: close\r\n");
      for (const maxRead of [Infinity, 40]) {
        const runs = await everyFailure(async (run) => {
          const { signal } = run;
          const serving = new Serving(handler, { run, signal, pair: { maxRead } });
          serving.client.write(text);
          serving.client.stream.end();
          await serving.ended;
          await quiet(6);
          assert.ok(outcomes(run, undefined).includes(serving.error?.code), serving.error?.code);
          serving.assertEnded(serving.error?.code);
          assert.deepEqual(serving.errors, []);
        });
        assert.ok(runs.length > 20, runs.join());
      }
    });
  }
});

describe("what is asked for with HEAD", () => {
  for (const [name, handler, headers] of [
    ["bytes", hello, { "content-type": "text/plain; charset=utf-8", "content-length": "7" }],
    ["parts", inParts, { "transfer-encoding": "chunked" }],
  ] as const) {
    it(`is answered by a head alone: ${name}`, async () => {
      const serving = new Serving(handler);
      await serving.send(get("/").replace("GET", "HEAD") + get("/2"));
      const [head, body] = serving.responses([0]);
      assert.deepEqual(head!.headers, headers);
      assert.equal(body!.body, "hello /2");
      await serving.end();
    });
  }
});
