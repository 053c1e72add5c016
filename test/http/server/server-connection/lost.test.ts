// A client that goes while its request is answered: how that is noticed, what the handler is told, and what is read meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import type { ServalError } from "../../../../src/core/index.ts";
import { Response, serve, type Body, type Exchange, type RequestHandler } from "../../../../src/http/index.ts";
import { listen } from "../../../../src/net/index.ts";
import { deferred, quiet } from "../../../support/quiet.ts";
import { get, HandBody, post, Serving, type ServingInit } from "../../support/serving.ts";
import { everyFailure, type Run } from "../../../../src/testing/index.ts";
import { outcomes } from "../../../support/outcomes.ts";

/** A connection whose handler asks for the signal of each request, and answers when it is told to. */
class Watched {
  readonly signals: AbortSignal[] = [];
  readonly exchanges: Exchange[] = [];
  readonly answers: ReturnType<typeof deferred<Response<Body>>>[] = [];
  readonly serving: Serving;

  constructor(options: ServingInit = {}, before?: RequestHandler) {
    this.serving = new Serving(async (request, exchange) => {
      this.exchanges.push(exchange);
      this.signals.push(exchange.signal);
      const answer = deferred<Response<Body>>();
      this.answers.push(answer);
      await before?.(request, exchange);
      return answer.promise;
    }, options);
  }

  /** What has become of the signals: the code of each one's reason, or undefined. */
  get reasons(): (string | undefined)[] {
    return this.signals.map(({ aborted, reason }) => (aborted ? (reason as ServalError).code : undefined));
  }

  async answer(at: number, body: string | Body = `answer ${at}`): Promise<void> {
    this.answers[at]!.resolve(new Response<Body>({ body }));
    await quiet(4);
  }
}

const reset = "core.connection_reset";
const kept = get("/");

describe("the signal of an exchange", () => {
  it("aborts with the stream's error if the connection is reset while the handler works, before serve completes", async () => {
    const watched = new Watched();
    const { serving } = watched;
    await serving.send(kept);
    assert.equal(serving.stream.reading, true);
    let completions = -1;
    watched.signals[0]!.addEventListener("abort", () => (completions = serving.completions));
    serving.client.stream.reset();
    await quiet(2);
    assert.deepEqual([watched.reasons, completions], [[reset], 0]);
    assert.equal(watched.signals[0]!.reason, serving.error);
    await watched.answer(0);
    serving.assertEnded(reset);
    assert.deepEqual(serving.errors, []);
  });

  it("is one for each request, made when it is first used", async () => {
    const watched = new Watched();
    const { serving, exchanges, signals } = watched;
    await serving.send(kept);
    await watched.answer(0);
    await serving.send(kept);
    assert.equal(exchanges[1]!.signal, signals[1]);
    assert.notEqual(signals[0], signals[1]);
    serving.client.stream.reset();
    await quiet();
    assert.deepEqual(watched.reasons, [undefined, reset]);
    assert.equal(exchanges[0]!.signal.aborted, false);
  });

  it("first used after the loss is aborted from the start; after the response it never aborts", async () => {
    const exchanges: Exchange[] = [];
    const never = deferred<Response>();
    const serving = new Serving((_, exchange) => {
      exchanges.push(exchange);
      return exchanges.length === 1 ? new Response() : never.promise;
    });
    await serving.send(kept + kept);
    serving.client.stream.reset();
    await quiet(2);
    // Noticed, though nobody has asked.
    serving.assertEnded(reset);
    const [first, second] = exchanges;
    assert.equal(second!.signal.reason, serving.error);
    assert.equal(first!.signal.aborted, false);
    never.resolve(new Response({ body: "x" }));
    await quiet(4);
    assert.deepEqual([serving.completions, serving.errors], [1, []]);
  });

  it("aborts if this side closes: by the option signal, by the write timeout", async () => {
    const controller = new AbortController();
    const aborted = new Watched({ signal: controller.signal });
    await aborted.serving.send(kept);
    controller.abort();
    // Not inside the call.
    assert.equal(aborted.signals[0]!.aborted, false);
    await quiet();
    assert.deepEqual(aborted.reasons, ["core.aborted"]);
    aborted.serving.assertEnded("core.aborted");

    const slow = new Watched({ paused: true, peerPair: { capacity: 10 } });
    await slow.serving.send(kept);
    await slow.answer(0, new HandBody());
    await slow.serving.clock.advance(60_000);
    assert.deepEqual(slow.reasons, ["core.timeout"]);
    slow.serving.assertEnded("core.timeout");
  });

  it("first used after the end is aborted from the start", async () => {
    const controller = new AbortController();
    const exchanges: Exchange[] = [];
    const serving = new Serving(
      (_, exchange) => {
        exchanges.push(exchange);
        return deferred<Response>().promise;
      },
      { signal: controller.signal },
    );
    await serving.send(kept);
    controller.abort();
    assert.equal((exchanges[0]!.signal.reason as ServalError).code, "core.aborted");
  });

  it("causes no read if the answer is ready at once", async () => {
    const serving: Serving = new Serving((_, exchange) => {
      assert.equal(exchange.signal.aborted, false);
      return new Response();
    });
    const before = serving.stream.operations;
    await serving.send(kept + kept);
    // One write, and the read that waits for the next request.
    assert.equal(serving.stream.operations - before, 2);
    await serving.end();
  });

  it("aborts also while the response comes in parts, whose body is then cancelled", async () => {
    const body = new HandBody();
    for (const isLater of [true, false]) {
      const signals: AbortSignal[] = [];
      const serving = new Serving((_, exchange) => {
        signals.push(exchange.signal);
        const response = new Response<Body>({ body });
        return isLater ? Promise.resolve(response) : response;
      });
      await serving.send(kept);
      await body.give("some");
      assert.equal(serving.stream.reading, true);
      serving.client.stream.reset();
      await quiet(2);
      assert.equal((signals[0]!.reason as ServalError).code, reset);
      await body.give();
      serving.assertEnded(reset);
    }
  });

  it("aborts if the connection is reset at any point while a request is being answered", async () => {
    const head = post("body").length - "body".length;
    for (const [request, start] of [
      [kept + kept, kept.length],
      [post("body"), head],
    ] as const) {
      for (let after = 0; after <= request.length; after++) {
        const watched = new Watched({ pair: { resetAfter: after } }, async (request) => void (await request.bytes()));
        await watched.serving.send(request);
        assert.deepEqual(watched.reasons, after < start ? [] : [reset], `${after}`);
        watched.serving.assertEnded(reset);
      }
    }
  });

  it("aborts for every operation that can fail, and nothing is left", async () => {
    const scenario = async (run: Run): Promise<void> => {
      const watched = new Watched({ run });
      const { serving } = watched;
      await serving.send(kept);
      for (let at = 0; at < 2 && at < watched.answers.length; at++) {
        await watched.answer(at);
        if (serving.completions === 0) await serving.send(kept);
      }
      if (run.met === undefined) {
        // All went well so far; what is left is the end.
        assert.deepEqual(watched.reasons, [undefined, undefined, undefined]);
        serving.client.stream.reset();
        await quiet();
        assert.deepEqual(watched.reasons, [undefined, undefined, reset]);
        return;
      }
      const [code] = outcomes(run);
      serving.assertEnded(code);
      const aborted = watched.reasons.filter((reason) => reason !== undefined);
      assert.ok(aborted.length <= 1 && aborted.every((reason) => reason === code));
    };
    const runs = await everyFailure(scenario, { failures: ["error", "reset"] });
    assert.ok(runs.length > 10, runs.join());
  });
});

describe("a thousand clients that reset while handlers work", () => {
  it("leave no timer, stream or signal, and each handler's signal aborts", async () => {
    const all = Array.from({ length: 1000 }, () => new Watched());
    for (const { serving } of all) void serving.client.write(kept);
    await quiet(2);
    for (const { serving } of all) serving.client.stream.reset();
    await quiet(2);
    for (const { reasons, serving } of all) {
      assert.deepEqual(reasons, [reset]);
      serving.assertEnded(reset);
    }
  });
});

describe("while a handler works", () => {
  it("the client may end its side, and gets its answer", async () => {
    const watched = new Watched();
    const { serving } = watched;
    await serving.send(kept);
    serving.client.stream.end();
    await quiet(2);
    assert.deepEqual([watched.reasons, serving.completions], [["http.end_of_stream"], 0]);
    await watched.answer(0);
    assert.deepEqual(serving.statuses, [200]);
    serving.assertEnded();
  });

  it("a handler that fails with the abort's reason is not reported; one that fails otherwise is", async () => {
    for (const [failure, told] of [
      [undefined, 0],
      [new DOMException("given up", "AbortError"), 0],
      [new Error("mine"), 1],
    ] as const) {
      const watched = new Watched();
      const { serving } = watched;
      await serving.send(kept);
      serving.client.stream.end();
      await quiet(2);
      watched.answers[0]!.reject(failure ?? watched.signals[0]!.reason);
      await quiet(4);
      assert.equal(serving.errors.length, told);
      assert.deepEqual(serving.statuses, [500]);
      serving.assertEnded();
    }
  });

  it("bytes after the request wait for their turn", async () => {
    const watched = new Watched();
    const { serving } = watched;
    await serving.send(kept);
    await serving.send(get("/2"));
    await serving.send(get("/3"));
    assert.equal(watched.signals.length, 1);
    await watched.answer(0);
    assert.equal(watched.signals.length, 2);
    await watched.answer(1);
    await watched.answer(2);
    assert.deepEqual(
      serving.responses().map(({ body }) => body),
      ["answer 0", "answer 1", "answer 2"],
    );
    await serving.end();
  });

  it("little more is read, so that requests can't pile up", async () => {
    const most = 16 * 1024;
    const watched = new Watched({ pair: { maxRead: most, record: true } });
    const { serving } = watched;
    void serving.client.write(kept.repeat(20_000));
    await quiet(20);
    for (let at = 0; at < 9; at++) {
      // What was read before the handler was asked, and what is held since.
      assert.ok(serving.stream.received.length <= 3 * most);
      await watched.answer(at);
    }
    serving.client.stream.reset();
    await quiet();
    serving.assertEnded(reset);
  });

  it("the head of the next request has its time from the response on", async () => {
    const watched = new Watched();
    const { serving } = watched;
    await serving.send(kept);
    await watched.answer(0);
    assert.equal(serving.stream.reading, true);
    serving.client.write(get("/2").slice(0, 10));
    await quiet(2);
    await serving.clock.advance(30_000);
    await quiet(2);
    assert.deepEqual(serving.statuses, [200, 408]);
    await serving.end("core.timeout");

    const idle = new Watched();
    await idle.serving.send(kept);
    await idle.serving.clock.advance(1_000_000);
    await idle.answer(0);
    await idle.serving.clock.advance(59_999);
    assert.equal(idle.serving.completions, 0);
    await idle.serving.clock.advance(1);
    idle.serving.assertEnded();
  });

  it("a loss is noticed before the body is read, between two reads of it, and after its end", async () => {
    for (const when of ["before", "between", "after"]) {
      const parts = deferred();
      const watched = new Watched({}, async (request) => {
        if (when === "before") await parts.promise;
        const body = request.parts()[Symbol.asyncIterator]();
        await body.next();
        if (when === "between") await parts.promise;
        await body.next();
      });
      const { serving } = watched;
      const request = post("body");
      await serving.send(request.slice(0, when === "before" ? -4 : -1));
      if (when === "after") await serving.send("y");
      serving.client.stream.reset();
      await quiet(2);
      assert.deepEqual(watched.reasons, [reset], when);
      serving.assertEnded(reset);
      parts.resolve();
      await quiet(2);
    }
  });

  it("the body's reader gets a part that arrived meanwhile", async () => {
    const start = deferred();
    let text: string | undefined;
    const serving = new Serving(async (request) => {
      await start.promise;
      text ??= await request.text();
      return new Response();
    });
    await serving.send(post("hello").slice(0, -5));
    await serving.send("hel");
    await serving.send(`lo${kept}`);
    start.resolve();
    await quiet(4);
    assert.equal(text, "hello");
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });

  it("an error of the body aborts the signal if it is a loss, and not if it can be answered", async () => {
    const bodies = async (watched: Watched, act: () => unknown): Promise<void> => {
      await watched.serving.send(post("body").slice(0, -2));
      act();
      await quiet(4);
    };
    const wait: RequestHandler = async (request) => void (await request.bytes().catch(() => {}));
    const lost = new Watched({}, wait);
    await bodies(lost, () => lost.serving.client.stream.reset());
    assert.deepEqual(lost.reasons, [reset]);
    const late = new Watched({}, wait);
    await bodies(late, () => late.serving.clock.advance(300_000));
    assert.deepEqual(late.reasons, [undefined]);
    await late.answer(0);
    assert.equal(late.serving.statuses[0], 200);
  });

  for (const [what, request] of [
    ["of HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
    ["with Connection: close", get("/", "Connection: close\r\n")],
    ["with Upgrade", get("/", "Connection: Upgrade\r\nUpgrade: x\r\n")],
    ["with CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n"],
  ] as const) {
    it(`a loss is noticed with a request ${what}; without a loss nothing changes`, async () => {
      const lost = new Watched();
      await lost.serving.send(request);
      lost.serving.client.stream.reset();
      await quiet(2);
      assert.deepEqual(lost.reasons, [reset]);
      lost.serving.assertEnded(reset);

      const watched = new Watched();
      const { serving } = watched;
      await serving.send(request);
      watched.answers[0]!.resolve(new Response({ status: 403 }));
      await quiet(4);
      assert.deepEqual(serving.statuses, [403]);
      assert.equal(serving.stream.ended, !request.includes("keep-alive") && !request.includes("Upgrade"));
      await serving.end();
    });
  }

  it("the request at work can release the stream, and its signal does not abort", async () => {
    const watched = new Watched();
    const { serving, exchanges } = watched;
    await serving.send(kept);
    await watched.answer(0);
    await serving.send(get("/", "Connection: Upgrade\r\nUpgrade: x\r\n"));
    assert.throws(() => exchanges[0]!.release(), { code: "core.invalid_argument" });
    // What comes while it is watched is the new owner's.
    await serving.send("more");
    exchanges[1]!.release();
    assert.equal(serving.completions, 0);
    await quiet();
    assert.deepEqual([serving.completions, serving.error, serving.stream.closed], [1, undefined, false]);
    let read = "";
    serving.stream.readSome((_, bytes) => (read = Buffer.from(bytes!).toString()));
    await quiet();
    assert.equal(read, "more");
    serving.client.stream.reset();
    await quiet();
    assert.deepEqual(watched.reasons, [undefined, undefined]);
    serving.assertNothingLeft();
  });
});

describe("a client that has ended its side", () => {
  /** One whose request is being answered, for less than a minute. */
  const ended = async (options: ServingInit = {}): Promise<Watched> => {
    const watched = new Watched(options);
    await watched.serving.send(kept);
    watched.serving.client.stream.end();
    await quiet(2);
    await watched.serving.clock.advance(59_999);
    assert.equal(watched.serving.completions, 0);
    return watched;
  };

  it("is taken for gone after the time of an idle one, timeouts.keepAlive", async () => {
    const watched = await ended();
    const { serving } = watched;
    await serving.clock.advance(1);
    assert.equal(serving.client.text, "");
    serving.assertEnded("http.end_of_stream");
    watched.answers[0]!.resolve(new Response());
    await quiet(2);
    assert.deepEqual(serving.errors, []);
  });

  it("gets all of a response in parts, unless no part comes for that long", async () => {
    for (const ends of [true, false]) {
      const watched = await ended();
      const { serving } = watched;
      const body = new HandBody();
      await watched.answer(0, body);
      for (let part = 0; part < 5; part++) {
        await serving.clock.advance(50_000);
        await body.give("x");
      }
      if (ends) {
        await body.give();
        assert.equal(serving.responses()[0]!.body, "xxxxx");
        serving.assertEnded();
      } else {
        await serving.clock.advance(60_000);
        assert.equal(body.stops, 1);
        // It is seen that this is not all.
        assert.equal(serving.client.error?.code, reset);
        serving.assertEnded("http.end_of_stream");
      }
    }
  });

  it("gets the responses to all its requests", async () => {
    const watched = new Watched();
    const { serving } = watched;
    await serving.send(kept + kept);
    await serving.send(kept);
    serving.client.stream.end();
    for (let at = 0; at < 3; at++) {
      await serving.clock.advance(50_000);
      await watched.answer(at);
    }
    assert.deepEqual(serving.statuses, [200, 200, 200]);
    serving.assertEnded();
  });

  it("is cut if it takes nothing of its response", async () => {
    const watched = await ended({ paused: true, peerPair: { capacity: 10 }, timeouts: { write: 10_000 } });
    const { serving } = watched;
    await watched.answer(0);
    await serving.clock.advance(10_000);
    serving.assertEnded("core.timeout");
  });
});

describe("a connection that ends after a response that was waited for", () => {
  const ending = async (): Promise<Watched> => {
    const watched = new Watched();
    await watched.serving.send(kept);
    watched.answers[0]!.resolve(new Response({ headers: { Connection: "close" }, body: "bye" }));
    await quiet(4);
    const { serving } = watched;
    // Our side has ended.
    assert.deepEqual([serving.responses()[0]!.body, serving.client.ended, serving.completions], ["bye", true, 0]);
    return watched;
  };

  it("ends with the client's end", async () => {
    const { serving, reasons } = await ending();
    await serving.end();
    assert.deepEqual(reasons, [undefined]);
  });

  it("drops bytes that the client still sends", async () => {
    const { serving, signals } = await ending();
    await serving.send(kept);
    assert.equal(signals.length, 1);
    await serving.end();
  });

  it("is closed if the client neither ends nor sends, and if it resets", async () => {
    const { serving } = await ending();
    await serving.clock.advance(5_000);
    serving.assertEnded();
    const { serving: other, reasons } = await ending();
    other.client.stream.reset();
    await quiet(2);
    other.assertEnded();
    assert.deepEqual(reasons, [undefined]);
  });

  it("ends by stop: after the answer, or at once if no request is being answered", async () => {
    const stop = new AbortController();
    const watched = new Watched({ stop: stop.signal });
    const { serving } = watched;
    await serving.send(kept);
    stop.abort();
    await quiet();
    assert.deepEqual([serving.completions, watched.reasons], [0, [undefined]]);
    await watched.answer(0);
    assert.equal(serving.responses()[0]!.headers.connection, "close");
    await serving.end();

    const again = new AbortController();
    const idle = new Watched({ stop: again.signal });
    await idle.serving.send(kept);
    await idle.answer(0);
    again.abort();
    await quiet();
    idle.serving.assertEnded();
  });
});

describe("over real sockets", () => {
  it("a reset aborts the handler's signal, and serve completes with it", async (t) => {
    const aborted = deferred<ServalError>();
    const ended = deferred<ServalError | undefined>();
    const asked = deferred();
    const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
      serve(
        stream,
        (_, exchange) => {
          const answer = deferred<Response>();
          exchange.signal.addEventListener("abort", () => {
            aborted.resolve(exchange.signal.reason as ServalError);
            answer.resolve(new Response());
          });
          asked.resolve();
          return answer.promise;
        },
        {},
        (error) => ended.resolve(error),
      );
    });
    t.after(() => listener.close());
    const socket = connect({ port: listener.port!, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.write(kept);
    await asked.promise;
    socket.resetAndDestroy();
    const reason = await aborted.promise;
    assert.equal(reason.code, reset);
    assert.equal(await ended.promise, reason);
  });
});
