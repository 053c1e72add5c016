// Requests with bodies, those that expect 100 (Continue), and those that fail.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { request } from "../../../src/http/index.ts";
import { everyFailure, pair } from "../../../src/testing/index.ts";
import { answers, Asking, expecting, get, post } from "../support/asking.ts";
import { outcomes } from "../../support/outcomes.ts";
import { quiet } from "../../support/quiet.ts";
import { HandBody } from "../support/serving.ts";

describe("the body of a request", () => {
  it("is sent in parts as they are taken, while the response is read", async () => {
    const body = new HandBody();
    const asking = new Asking({}, { capacity: 100 }, true);
    await asking.ask(post(body));
    await body.give("x".repeat(1000));
    assert.equal(body.asked, 1);
    asking.server.resume();
    await quiet(10);
    assert.equal(body.asked, 2);
    await asking.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    asking.assertDone();
    await body.give("y");
    await body.give();
    await asking.answer("llo");
    assert.equal(await asking.response!.text(), "hello");
    assert.equal(asking.requests[0]!.body, `${"x".repeat(1000)}y`);
    assert.deepEqual([asking.stream.closed, body.stops, body.drops], [false, 0, 0]);
  });

  it("still being sent when the response ends is cut, and the stream is closed after the response", async () => {
    for (const text of [answers[0]![1], answers[2]![1]]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body));
      await asking.answer(text);
      asking.assertDone();
      await asking.response!.text();
      assert.deepEqual([asking.stream.closed, asking.response!.keepAlive, body.stops], [true, false, 1]);
    }
  });

  it("whose last write is in flight when the response ends is completed, so that the stream can be used again", async () => {
    for (const text of [answers[0]![1], answers[2]![1]]) {
      const asking = new Asking({}, { capacity: 50 }, true);
      await asking.ask(post("x".repeat(1000)));
      await asking.answer(text);
      const body = asking.response?.text();
      await quiet();
      asking.server.resume();
      await quiet(30);
      asking.assertDone();
      assert.equal(await (body ?? asking.response!.text()), text === answers[0]![1] ? "hello" : "");
      assert.equal(asking.stream.closed, false);
      await asking.ask(get());
      await asking.answer(answers[2]![1]);
      asking.assertDone();
      assert.equal(asking.requests.length, 2);
    }
  });

  it("refused while it is being sent is cut: the response is read, and then the stream closed", async () => {
    for (const kind of ["parts", "bytes"]) {
      const body = new HandBody();
      const asking = new Asking({}, { capacity: 100 }, true);
      await asking.ask(post(kind === "parts" ? body : new Uint8Array(10_000)));
      if (kind === "parts") await body.give("x".repeat(1000));
      await asking.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhe");
      asking.assertDone();
      assert.equal(asking.response!.status, 413);
      assert.equal(asking.stream.closed, false);
      await asking.answer("llo");
      assert.equal(await asking.response!.text(), "hello");
      assert.deepEqual([asking.stream.closed, body.stops], [true, kind === "parts" ? 1 : 0]);
    }
  });

  it("refused without a response body closes the stream at once", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body));
    await asking.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    asking.assertDone();
    assert.deepEqual([asking.stream.closed, body.stops], [true, 1]);
  });

  it("that fails ends the request, by a reset: it can't be taken for all of it", async () => {
    const mine = new Error("mine");
    for (const when of ["at first", "later"]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body));
      if (when === "later") await body.give("x");
      await body.fail(mine);
      asking.assertDone("http.body_failed");
      assert.equal(asking.error?.cause, mine);
      assert.equal(asking.server.error?.code, "core.connection_reset");
    }
  });

  it("of another length than announced ends the request", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body, { "Content-Length": "5" }));
    await body.give("four");
    await body.give();
    asking.assertDone("http.bad_content_length");
  });

  it("that fails after the response leaves no usable stream", async () => {
    for (const read of [true, false]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body));
      await asking.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
      asking.assertDone();
      if (read) {
        const text = asking.response!.text();
        await body.fail(new Error("mine"));
        await asking.answer("o");
        assert.equal(await text, "hello");
      } else {
        await body.fail(new Error("mine"));
        await asking.answer("o");
        assert.equal(await asking.response!.text(), "hello");
      }
      assert.equal(asking.stream.closed, true);
    }
  });

  it("is stopped if the request fails before it has begun", async () => {
    for (const headers of [{}, expecting]) {
      for (const failAfter of [0, 1]) {
        const body = new HandBody();
        const asking = new Asking({ failAfter });
        await asking.ask(post(body, headers));
        asking.assertDone("testing.failure");
        assert.deepEqual([body.asked, body.drops], [0, 1]);
      }
    }
  });
});

describe("a request that expects 100 (Continue)", () => {
  it("sends its body after a 100", async () => {
    for (const body of ["hello", new HandBody()]) {
      const asking = new Asking({ maxWrite: 10 });
      await asking.ask(post(body, expecting));
      await quiet(10);
      assert.match(asking.server.text, /\r\n\r\n$/);
      assert.equal(asking.clock.pending, 1);
      await asking.answer("HTTP/1.1 100 Continue\r\n\r\n");
      assert.equal(asking.clock.pending, 0);
      if (body instanceof HandBody) {
        await body.give("hello");
        await body.give();
      }
      await quiet(4);
      assert.equal(asking.requests[0]!.body, "hello");
      await asking.answer(answers[0]![1]);
      asking.assertDone();
      assert.equal(await asking.response!.text(), "hello");
      assert.equal(asking.stream.closed, false);
    }
  });

  it("sends its body even if 100 comes while its head is being sent", async () => {
    const asking = new Asking({}, { capacity: 10 }, true);
    await asking.ask(post("hello", expecting));
    await asking.answer("HTTP/1.1 100 Continue\r\n\r\n");
    asking.server.resume();
    await quiet(20);
    assert.equal(asking.requests[0]!.body, "hello");
    await asking.answer(answers[2]![1]);
    asking.assertDone();
  });

  it("sends its body after the wait", async () => {
    const asking = new Asking();
    await asking.ask(post("hello", expecting), { timeouts: { continue: 500 } });
    await asking.clock.advance(499);
    assert.match(asking.server.text, /\r\n\r\n$/);
    await asking.clock.advance(1);
    assert.equal(asking.requests[0]!.body, "hello");
    // Too late, but no harm.
    await asking.answer(`HTTP/1.1 100 Continue\r\n\r\n${answers[2]![1]}`);
    asking.assertDone();
    assert.equal(asking.requests.length, 1);
  });

  it("waits forever with Infinity", async () => {
    const asking = new Asking();
    await asking.ask(post("hello", expecting), { timeouts: { continue: Infinity } });
    assert.equal(asking.clock.pending, 0);
    await asking.answer("HTTP/1.1 100 Continue\r\n\r\n");
    assert.equal(asking.requests[0]!.body, "hello");
    await asking.answer(answers[2]![1]);
    asking.assertDone();
  });

  it("does not send its body if it is refused, and closes the stream after the response", async () => {
    for (const status of ["417 No", "200 OK"]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body, expecting));
      await asking.answer(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`);
      asking.assertDone();
      assert.equal(await asking.response!.text(), "no");
      assert.match(asking.server.text, /\r\n\r\n$/);
      assert.deepEqual([body.asked, body.drops, asking.stream.closed], [0, 1, true]);
    }
  });
});

describe("a request that fails", () => {
  it("by the end of the stream: http.end_of_stream before a response, http.partial_message inside", async () => {
    for (const [text, code] of [
      ["", "http.end_of_stream"],
      ["HTTP/1.1 2", "http.partial_message"],
    ] as const) {
      const asking = new Asking();
      await asking.ask(get());
      await asking.answer(text);
      asking.server.stream.end();
      await quiet(2);
      asking.assertDone(code);
    }
    const asking = new Asking();
    await asking.ask(get());
    await asking.answer(answers[0]![1].slice(0, -1));
    asking.server.stream.end();
    await assert.rejects(asking.response!.text(), { code: "http.partial_message" });
    assert.equal(asking.stream.closed, true);
  });

  it("whatever fails below: once, with nothing left", async () => {
    for (const headers of [{}, expecting]) {
      const runs = await everyFailure(async (run) => {
        const { signal } = run;
        const asking = new Asking({ maxRead: 10, maxWrite: 10 }, {}, false, run);
        void asking.ask(post("hello", headers), { signal });
        asking.server.write(`HTTP/1.1 100 Continue\r\n\r\n${answers[0]![1]}`);
        await asking.done;
        const code = asking.error?.code;
        assert.ok(outcomes(run, undefined).includes(code), code);
        assert.deepEqual([asking.completions, asking.inside], [1, false]);
        if (code !== undefined) asking.assertDone(code);
        else {
          // The rest of the request may still be on its way.
          const outcome = await asking.response!.text().catch((error: ServalError) => error.code);
          assert.ok(outcomes(run, "hello").includes(outcome), outcome);
          if (outcome !== "hello") assert.equal(asking.stream.closed, true);
        }
        await quiet(2);
        asking.below.close();
      });
      assert.ok(runs.length > 40, runs.join());
    }
  });

  it("still reads what the server sent before the connection broke", async () => {
    const asking = new Asking({}, { capacity: 10 }, true);
    await asking.ask(post(new Uint8Array(1000)));
    asking.server.write("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno");
    await quiet(2);
    asking.assertDone();
    assert.equal(asking.response!.status, 503);
    assert.equal(await asking.response!.text(), "no");
  });

  it("by its signal, at every turn: core.aborted, the stream closed, the body stopped", async () => {
    for (const headers of [{}, expecting]) {
      for (let turns = 0; turns < 80; turns++) {
        const controller = new AbortController();
        const { signal } = controller;
        const body = new HandBody();
        const asking = new Asking({ maxRead: 10, maxWrite: 30 });
        const asked = asking.ask(post(body, headers), { signal });
        asking.server.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const completed = asking.completions > 0;
        controller.abort("enough");
        await asked;
        if (completed) {
          await assert.rejects(asking.response!.text(), { code: "core.aborted" });
        } else {
          asking.assertDone("core.aborted");
          assert.equal(asking.error?.cause, "enough");
        }
        assert.equal(asking.stream.closed, true);
        assert.equal(body.stops + body.drops, 1, String(turns));
        assert.deepEqual([asking.clock.pending, getEventListeners(signal, "abort").length], [0, 0]);
      }
    }
  });

  it("by a signal that has already fired", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body), { signal: AbortSignal.abort() });
    asking.assertDone("core.aborted");
    assert.deepEqual([asking.stream.operations, body.drops], [0, 1]);
  });

  it("by its signal after the response: reading the body and sending the request end", async () => {
    const controller = new AbortController();
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body), { signal: controller.signal });
    await asking.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    const text = asking.response!.text();
    await quiet();
    controller.abort();
    await assert.rejects(text, { code: "core.aborted" });
    assert.deepEqual([asking.stream.closed, body.stops], [true, 1]);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("ends no process if nobody awaits it", async () => {
    const [stream, peer] = pair();
    void request(stream, get());
    peer.reset();
    await quiet(2);
  });
});
