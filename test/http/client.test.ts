import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { FlatBuffer, type ServalError } from "../../src/core/index.ts";
import { decodeLatin1 } from "../../src/core/text.ts";
import {
  IncomingBody,
  request,
  Request,
  type Body,
  type IncomingResponse,
  type RequestOptions,
} from "../../src/http/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../src/testing/index.ts";
import { HandBody, messagesIn, quiet, RawPeer, type SeenMessage } from "./serving.ts";

/** A client's side of a connection, the server's at its other end, and what became of the requests. */
class Asking {
  readonly clock: VirtualClock = new VirtualClock();
  readonly buffer: FlatBuffer = new FlatBuffer();
  readonly stream: PairStream;
  readonly server: RawPeer;
  completions = 0;
  error: ServalError | undefined;
  response: IncomingResponse | undefined;
  inside = false;
  #signal: AbortSignal | undefined;

  constructor(own: PairOptions = {}, peer: PairOptions = {}, paused = false) {
    const [stream, other] = pair(own, peer);
    this.stream = stream;
    this.server = new RawPeer(other, paused);
  }

  /** Sends a request, and waits until nothing more happens. */
  async ask(message: Request, options: RequestOptions = {}): Promise<void> {
    let returned = false;
    this.completions = 0;
    this.error = this.response = undefined;
    this.#signal = options.signal;
    const { clock, buffer } = this;
    request(this.stream, message, { clock, buffer, ...options }, (error, response) => {
      this.completions++;
      this.error = error;
      this.response = response;
      this.inside ||= !returned;
    });
    returned = true;
    await quiet(4);
  }

  async answer(text: string): Promise<void> {
    this.server.write(text);
    await quiet(4);
  }

  /** What the server has got, if nothing else is left. */
  get requests(): SeenMessage[] {
    const { all, rest } = messagesIn(this.server.text);
    assert.equal(rest, "");
    return all;
  }

  /** Expects one completion, with this error, and that nothing is left of it. */
  assertDone(code?: string): void {
    assert.deepEqual([this.completions, this.error?.code, this.inside], [1, code, false]);
    assert.equal(this.clock.pending, 0, "a timer is left");
    if (this.#signal !== undefined) assert.equal(getEventListeners(this.#signal, "abort").length, 0);
    if (code !== undefined) assert.equal(this.stream.closed, true);
  }
}

const get = (target = "/"): Request => new Request({ target, fields: { Host: "h" } });
const post = (body: string | Body, fields = {}): Request =>
  new Request<Body>({ method: "POST", fields: { Host: "h", ...fields }, body });
const expecting = { Expect: "100-continue" };

const answers: [name: string, text: string, body: string][] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"],
  ["chunks", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n", "hello"],
  ["no body", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  ["an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""],
  ["interim responses", "HTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"],
];

describe("request", () => {
  for (const [name, text, body] of answers) {
    it(`gets ${name}, for reads and writes of any size, one request behind the other on one stream`, async () => {
      for (const [maxRead, maxWrite] of [
        [Infinity, Infinity],
        [1, 1],
        [7, 3],
      ] as const) {
        const asking = new Asking({ maxRead, maxWrite });
        for (let round = 1; round <= 3; round++) {
          await asking.ask(round === 2 ? post("body") : get());
          await quiet(10);
          await asking.answer(text);
          await quiet(60);
          asking.assertDone();
          assert.equal(await asking.response!.text(), body);
          assert.equal(asking.requests.length, round);
          assert.deepEqual([asking.stream.reading, asking.stream.closed, asking.buffer.capacity], [false, false, 0]);
        }
        assert.deepEqual(
          asking.requests.map((seen) => [seen.line, seen.body]),
          [
            ["GET / HTTP/1.1", ""],
            ["POST / HTTP/1.1", "body"],
            ["GET / HTTP/1.1", ""],
          ],
        );
      }
    });
  }

  it("returns a promise without a handler, and takes a handler without options", async () => {
    const [stream, peer] = pair();
    const server = new RawPeer(peer);
    server.write(answers[0]![1]);
    const buffer = new FlatBuffer();
    assert.equal((await request(stream, get(), { buffer })).status, 200);
    const [other, otherPeer] = pair();
    new RawPeer(otherPeer).write(answers[0]![1]);
    const response = await new Promise<IncomingResponse>((resolve) => request(other, get(), (_, one) => resolve(one)));
    assert.equal(response.status, 200);
  });

  it("gives parts of the body as they are asked for, and the trailer behind them", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await asking.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const { body } = asking.response!;
    assert.ok(body instanceof IncomingBody);
    assert.deepEqual([asking.stream.reading, body.isDone, body.size], [false, false, undefined]);
    await asking.answer("2\r\nhe\r\n");
    assert.equal(asking.stream.unread, 7);
    const parts: string[] = [];
    const source = body[Symbol.asyncIterator]();
    parts.push(decodeLatin1((await source.next()).value!));
    const second = source.next();
    await assert.rejects(source.next(), { code: "http.body_used" });
    await asking.answer("3\r\nllo\r\n0\r\nT: x\r\n\r\n");
    parts.push(decodeLatin1((await second).value!));
    assert.equal((await source.next()).done, true);
    assert.deepEqual([parts, body.isDone, body.trailer.get("t")], [["he", "llo"], true, "x"]);
  });

  it("reads to the end of the stream where the response says nothing else", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await asking.answer("HTTP/1.1 200 OK\r\n\r\nhel");
    await asking.answer("lo");
    asking.server.stream.end();
    assert.equal(await asking.response!.text(), "hello");
  });

  it("expects no body behind HEAD, and none of the bytes behind is lost", async () => {
    const asking = new Asking();
    await asking.ask(new Request({ method: "HEAD", fields: { Host: "h" } }));
    await asking.answer(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${answers[0]![1]}`);
    asking.assertDone();
    assert.deepEqual([asking.response!.body, asking.response!.contentLength], [new Uint8Array(0), 5]);
    await asking.ask(get());
    assert.equal(await asking.response!.text(), "hello");
  });

  it("leaves what is behind a 101, or the answer to CONNECT, in the buffer", async () => {
    for (const [message, head] of [
      [new Request({ fields: { Host: "h", Connection: "Upgrade", Upgrade: "x" } }), "HTTP/1.1 101 Switching\r\n\r\n"],
      [new Request({ method: "CONNECT", target: "h:1", fields: { Host: "h:1" } }), "HTTP/1.1 200 OK\r\n\r\n"],
    ] as const) {
      for (const behind of ["", "\x81\x02hi"]) {
        const asking = new Asking();
        await asking.ask(message);
        await asking.answer(head + behind);
        asking.assertDone();
        assert.deepEqual([asking.response!.body, decodeLatin1(asking.buffer.data())], [new Uint8Array(0), behind]);
        assert.deepEqual([asking.stream.reading, asking.stream.closed], [false, false]);
      }
    }
  });

  it("tells of interim responses, up to 8 of them", async () => {
    const seen: string[] = [];
    const onInterim: RequestOptions["onInterim"] = ({ status, fields }) => seen.push(`${status} ${fields.get("n")}`);
    const interim = (n: number): string => `HTTP/1.1 103 Early Hints\r\nN: ${n}\r\n\r\n`;
    const all = [1, 2, 3, 4, 5, 6, 7, 8].map(interim).join("");
    const asking = new Asking({ maxRead: 30 });
    await asking.ask(get(), { onInterim });
    await asking.answer(all + answers[0]![1]);
    asking.assertDone();
    assert.deepEqual(
      seen,
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `103 ${n}`),
    );
    const flooded = new Asking();
    await flooded.ask(get());
    await flooded.answer(all + interim(9));
    flooded.assertDone("http.interim_limit");
  });

  it("fails with what onInterim throws", async () => {
    const mine = new Error("mine");
    const asking = new Asking();
    await asking.ask(get(), {
      onInterim: () => {
        throw mine;
      },
    });
    await asking.answer(answers[4]![1]);
    asking.assertDone("http.handler_failed");
    assert.equal(asking.error?.cause, mine);
  });

  it("is held to the limits that it is given", async () => {
    for (const [code, options, text] of [
      ["http.header_limit", { headerLimit: 50 }, `HTTP/1.1 200 OK\r\nA: ${"x".repeat(100)}`],
      ["http.field_limit", { fieldLimit: 1 }, "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"],
      ["http.bad_version", {}, "SSH-2.0\r\n"],
      ["http.bad_content_length", {}, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ] as const) {
      const asking = new Asking();
      await asking.ask(get(), options);
      await asking.answer(text);
      asking.assertDone(code);
    }
    for (const [code, options, text] of [
      ["http.body_limit", { bodyLimit: 4 }, answers[0]![1]],
      ["http.body_limit", { bodyLimit: 4 }, answers[1]![1]],
      ["http.bad_chunk", {}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"],
    ] as const) {
      const asking = new Asking();
      await asking.ask(get(), options);
      await asking.answer(text);
      asking.assertDone();
      await assert.rejects(asking.response!.bytes(), { code });
      assert.equal(asking.stream.closed, true);
    }
  });

  it("is misuse for a message that can't be sent, before anything is written", async () => {
    const [stream] = pair();
    await assert.rejects(request(stream, new Request({ target: "a b" })), { code: "http.bad_target" });
    assert.throws(() => request(stream, new Request({ target: "a b" }), {}, assert.fail), { code: "http.bad_target" });
    assert.deepEqual([stream.operations, stream.closed], [0, false]);
  });

  it("is misuse while another is on its way, which is done no harm", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await assert.rejects(request(asking.stream, get()), { code: "core.operation_pending" });
    await asking.answer(answers[0]![1]);
    asking.assertDone();
    assert.equal(await asking.response!.text(), "hello");
    assert.equal(asking.requests.length, 1);
  });
});

describe("the body of a request", () => {
  it("comes in parts, asked for as they are taken, while the response is read", async () => {
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

  it("that is still being sent when the response ends is cut, and the stream closed behind the response", async () => {
    for (const text of [answers[0]![1], answers[2]![1]]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body));
      await asking.answer(text);
      asking.assertDone();
      await asking.response!.text();
      assert.deepEqual([asking.stream.closed, body.stops], [true, 1]);
    }
  });

  it("all of which is on its way when the response ends is waited for, so that the stream can be used again", async () => {
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

  it("that is refused while it is sent is cut: the response is read, and the stream closed behind it", async () => {
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

  it("that is refused without a word more closes the stream at once", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body));
    await asking.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    asking.assertDone();
    assert.deepEqual([asking.stream.closed, body.stops], [true, 1]);
  });

  it("that fails ends the request", async () => {
    const mine = new Error("mine");
    for (const when of ["at first", "later"]) {
      const body = new HandBody();
      const asking = new Asking();
      await asking.ask(post(body));
      if (when === "later") await body.give("x");
      await body.fail(mine);
      asking.assertDone("http.body_failed");
      assert.equal(asking.error?.cause, mine);
      assert.equal(asking.server.ended, true);
    }
  });

  it("that is not as long as announced ends the request", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body, { "Content-Length": "5" }));
    await body.give("four");
    await body.give();
    asking.assertDone("http.bad_content_length");
  });

  it("that fails behind the response leaves no stream that could be used", async () => {
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

  it("is let go of where the request fails before it has begun", async () => {
    for (const fields of [{}, expecting]) {
      for (const failAfter of [0, 1]) {
        const body = new HandBody();
        const asking = new Asking({ failAfter });
        await asking.ask(post(body, fields));
        asking.assertDone("testing.failure");
        assert.deepEqual([body.asked, body.drops], [0, 1]);
      }
    }
  });
});

describe("a request that expects 100 (Continue)", () => {
  it("sends its body when it is told to", async () => {
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

  it("and is told so while its head is still on its way", async () => {
    const asking = new Asking({}, { capacity: 10 }, true);
    await asking.ask(post("hello", expecting));
    await asking.answer("HTTP/1.1 100 Continue\r\n\r\n");
    asking.server.resume();
    await quiet(20);
    assert.equal(asking.requests[0]!.body, "hello");
    await asking.answer(answers[2]![1]);
    asking.assertDone();
  });

  it("sends its body when it has waited long enough", async () => {
    const asking = new Asking();
    await asking.ask(post("hello", expecting), { continueTimeout: 500 });
    await asking.clock.advance(499);
    assert.match(asking.server.text, /\r\n\r\n$/);
    await asking.clock.advance(1);
    assert.equal(asking.requests[0]!.body, "hello");
    // Too late, but no harm.
    await asking.answer(`HTTP/1.1 100 Continue\r\n\r\n${answers[2]![1]}`);
    asking.assertDone();
    assert.equal(asking.requests.length, 1);
  });

  it("waits for ever with Infinity", async () => {
    const asking = new Asking();
    await asking.ask(post("hello", expecting), { continueTimeout: Infinity });
    assert.equal(asking.clock.pending, 0);
    await asking.answer("HTTP/1.1 100 Continue\r\n\r\n");
    assert.equal(asking.requests[0]!.body, "hello");
    await asking.answer(answers[2]![1]);
    asking.assertDone();
  });

  it("does not send its body when it is refused, and closes the stream behind the response", async () => {
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

  it("by the n-th operation, for every n: once, and nothing is left", async () => {
    for (const fields of [{}, expecting]) {
      let completes = false;
      for (let failAfter = 0; !completes; failAfter++) {
        const { signal } = new AbortController();
        const asking = new Asking({ failAfter, maxRead: 10, maxWrite: 10 });
        const asked = asking.ask(post("hello", fields), { signal });
        asking.server.write(`HTTP/1.1 100 Continue\r\n\r\n${answers[0]![1]}`);
        await asked;
        await quiet(20);
        if (asking.error !== undefined) {
          asking.assertDone("testing.failure");
          continue;
        }
        asking.assertDone();
        const outcome = await asking.response!.text().catch((error: ServalError) => error.code);
        assert.ok(outcome === "hello" || outcome === "testing.failure");
        assert.equal(getEventListeners(signal, "abort").length, 0);
        if (outcome !== "hello") assert.equal(asking.stream.closed, true);
        completes = outcome === "hello" && !asking.stream.closed;
        assert.ok(failAfter < 60);
      }
    }
  });

  it("reads what the server has said before it broke the connection", async () => {
    const asking = new Asking({}, { capacity: 10 }, true);
    await asking.ask(post(new Uint8Array(1000)));
    asking.server.write("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno");
    await quiet(2);
    asking.assertDone();
    assert.equal(asking.response!.status, 503);
    assert.equal(await asking.response!.text(), "no");
  });

  it("by its signal, at every turn: core.aborted, the stream closed, the body told", async () => {
    for (const fields of [{}, expecting]) {
      for (let turns = 0; turns < 80; turns++) {
        const controller = new AbortController();
        const { signal } = controller;
        const body = new HandBody();
        const asking = new Asking({ maxRead: 10, maxWrite: 30 });
        const asked = asking.ask(post(body, fields), { signal });
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

  it("by a signal that has fired before", async () => {
    const body = new HandBody();
    const asking = new Asking();
    await asking.ask(post(body), { signal: AbortSignal.abort() });
    asking.assertDone("core.aborted");
    assert.deepEqual([asking.stream.operations, body.drops], [0, 1]);
  });

  it("by its signal behind the response: the reading of the body, and the sending of the request, end", async () => {
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

  it("ends no process, though nobody waits for it", async () => {
    const [stream, peer] = pair();
    void request(stream, get());
    peer.reset();
    await quiet(2);
  });
});
