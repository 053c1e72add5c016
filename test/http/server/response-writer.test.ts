import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { byteLength } from "../../../src/core/byte-stream.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { Response, type Body } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { httpError } from "../../../src/http/messages/errors.ts";
import { ResponseWriter } from "../../../src/http/server/response-writer.ts";
import { departureOf } from "../../../src/http/codec/serializer.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { quiet } from "../../support/quiet.ts";
import { HandBody } from "../support/serving.ts";

/** A writer over a pair, and what it has lost. */
class Fixture {
  readonly clock: VirtualClock = new VirtualClock();
  readonly stream: PairStream;
  readonly peer: PairStream;
  readonly writer: ResponseWriter;
  readonly lost: ServalError[] = [];

  constructor(own: PairOptions = {}, peer: PairOptions = {}) {
    [this.stream, this.peer] = pair({ record: true, ...own }, peer);
    const settings = new ServeSettings({ clock: this.clock, date: false, timeouts: { write: 1000 } });
    this.writer = new ResponseWriter(this.stream, settings, (error) => this.lost.push(error));
  }

  add(body: string): void {
    const response = new Response({ body: Buffer.from(body) });
    this.writer.add(response, departureOf(response), undefined, true);
  }

  get sent(): string {
    return decodeLatin1(this.stream.sent).replaceAll(/HTTP\/1.1 200 OK\r\nContent-Length: \d+\r\n\r\n/g, "|");
  }
}

describe("ResponseWriter", () => {
  it("gathers, and writes all at once when it is flushed", async () => {
    const fixture = new Fixture();
    fixture.add("a");
    fixture.add("x".repeat(20_000));
    fixture.add("b");
    assert.equal(fixture.stream.operations, 0);
    let flushed = 0;
    fixture.writer.flush(() => flushed++);
    assert.deepEqual([flushed, fixture.writer.isWriting], [0, true]);
    await quiet();
    assert.deepEqual(
      [flushed, fixture.writer.isWriting, fixture.writer.size, fixture.stream.operations],
      [1, false, 0, 1],
    );
    assert.equal(fixture.sent, `|a|${"x".repeat(20_000)}|b`);
  });

  it("calls back at once where there is nothing, in order, and never while something is being written", async () => {
    const fixture = new Fixture({ maxWrite: 7 });
    const order: string[] = [];
    fixture.writer.flush(() => order.push("first"));
    assert.deepEqual(order, ["first"]);
    fixture.add("a");
    for (const name of ["second", "third"]) {
      fixture.writer.flush(() => {
        assert.equal(fixture.writer.isWriting, false);
        order.push(name);
        fixture.add(name);
        fixture.writer.flush(() => order.push(`behind ${name}`));
      });
    }
    await quiet(10);
    assert.deepEqual(order, ["first", "second", "third", "behind second", "behind third"]);
    assert.equal(fixture.sent, "|a|second|third");
  });

  it("does not grow the stack with callbacks that flush", () => {
    const fixture = new Fixture();
    let left = 100_000;
    const again = (): void => {
      if (--left > 0) fixture.writer.flush(again);
    };
    again();
    assert.equal(left, 0);
  });

  it("sends a response in parts after what waits, and lets nothing in between", async () => {
    const fixture = new Fixture();
    const body = new HandBody();
    fixture.add("a");
    const outcomes: unknown[] = [];
    const response = new Response<Body>({ body, headers: { "Content-Length": "5" } });
    fixture.writer.send(response, { method: "GET", version: 11 }, true, (...given) => outcomes.push(given));
    let flushed = 0;
    fixture.writer.flush(() => flushed++);
    await quiet();
    assert.deepEqual([fixture.writer.isSending, flushed], [true, 0]);
    await body.give("hello");
    await body.give();
    assert.deepEqual([outcomes, flushed, fixture.writer.isSending], [[[undefined, false]], 1, false]);
    assert.equal(fixture.sent, "|a|hello");
  });

  it("is lost when the peer takes nothing for too long; time counts only while something is in flight", async () => {
    const fixture = new Fixture({}, { capacity: 100 });
    const body = new HandBody();
    fixture.writer.send(new Response<Body>({ body }), { method: "GET", version: 11 }, true, () => {});
    await fixture.clock.advance(10_000);
    assert.equal(fixture.lost.length, 0);
    await body.give("x".repeat(1000));
    await fixture.clock.advance(999);
    assert.equal(fixture.lost.length, 0);
    await fixture.clock.advance(1);
    assert.equal(fixture.lost[0]?.code, "core.timeout");
    fixture.writer.close();
    assert.deepEqual([fixture.clock.pending, body.stops], [0, 1]);
  });

  it("writes so much at once that a slow client is not taken for one that takes nothing", async () => {
    // As a socket does it: a write is told of when all of it is taken, and this client takes 1,000 bytes a millisecond.
    const size = 5_000_000;
    for (const kind of ["bytes", "parts"]) {
      const fixture = new Fixture({}, { capacity: Infinity });
      const { stream, clock } = fixture;
      const write = stream.writeSome.bind(stream);
      stream.writeSome = (buffers, handler) => {
        clock.setTimer(byteLength(buffers) / 1000, () => write(buffers, handler));
      };
      const bytes = new Uint8Array(size).fill(0x61);
      const response = new Response({ body: bytes });
      let isDone = false;
      if (kind === "bytes") {
        fixture.writer.add(response, departureOf(response), undefined, true);
        fixture.writer.flush(() => (isDone = true));
      } else {
        const inParts = new Response<Body>({ body: Readable.from([bytes]), headers: { "Content-Length": `${size}` } });
        fixture.writer.send(inParts, { method: "GET", version: 11 }, true, () => (isDone = true));
      }
      for (let step = 0; step < 100; step++) {
        await clock.advance(100);
        await quiet();
      }
      assert.deepEqual([fixture.lost, isDone], [[], true]);
      assert.equal(fixture.sent, `|${"a".repeat(size)}`);
    }
  });

  it("is lost with the stream's error, once", async () => {
    const fixture = new Fixture({ failAfter: 0 });
    fixture.add("a");
    fixture.writer.flush(() => assert.fail("flushed"));
    await quiet();
    assert.deepEqual(
      fixture.lost.map(({ code }) => code),
      ["testing.failure"],
    );
    fixture.writer.close();
    assert.equal(fixture.clock.pending, 0);
  });

  it("is lost if the stream is written to elsewhere", async () => {
    for (const kind of ["whole", "parts"]) {
      const fixture = new Fixture({}, { capacity: 1 });
      fixture.stream.writeSome(new Uint8Array(1), () => fixture.stream.writeSome(new Uint8Array(1), () => {}));
      await quiet();
      const body = new HandBody();
      if (kind === "parts")
        fixture.writer.send(new Response<Body>({ body }), { method: "GET", version: 11 }, true, () => {});
      else fixture.add("a");
      fixture.writer.flush(() => assert.fail("flushed"));
      assert.equal(fixture.lost[0]?.code, "core.operation_pending");
      fixture.writer.close();
      assert.deepEqual([fixture.clock.pending, body.drops], [0, kind === "parts" ? 1 : 0]);
    }
  });

  it("loses a client to which nothing is written for too long, once that is limited, with its error", async () => {
    const error = httpError("http.end_of_stream");
    for (const kind of ["nothing", "whole", "parts"]) {
      const fixture = new Fixture();
      fixture.writer.limitSilence(1000, error);
      await fixture.clock.advance(999);
      const body = new HandBody();
      if (kind === "whole") {
        fixture.add("a");
        fixture.writer.flush(() => {});
      } else if (kind === "parts") {
        fixture.writer.send(new Response<Body>({ body }), { method: "GET", version: 11 }, true, () => {});
      }
      await quiet();
      // Each write begins the time anew.
      await fixture.clock.advance(kind === "nothing" ? 0 : 999);
      assert.deepEqual(fixture.lost, []);
      await fixture.clock.advance(1);
      assert.deepEqual(fixture.lost, [error]);
      fixture.writer.close();
      assert.equal(fixture.clock.pending, 0);
    }
  });

  it("takes a write that hangs for what it is, also where silence is limited", async () => {
    const fixture = new Fixture({}, { capacity: 1 });
    fixture.add("more than that");
    fixture.writer.flush(() => {});
    fixture.writer.limitSilence(1, httpError("http.end_of_stream"));
    await fixture.clock.advance(999);
    assert.equal(fixture.lost.length, 0);
    await fixture.clock.advance(1);
    assert.equal(fixture.lost[0]?.code, "core.timeout");
    fixture.writer.close();
  });

  it("closed, calls nobody back, and holds nothing", async () => {
    const fixture = new Fixture();
    const body = new HandBody();
    fixture.add("a");
    fixture.writer.send(new Response<Body>({ body }), { method: "GET", version: 11 }, true, () => assert.fail("sent"));
    fixture.writer.flush(() => assert.fail("flushed"));
    fixture.writer.close();
    await quiet();
    assert.deepEqual([fixture.writer.size, fixture.lost, fixture.clock.pending, body.drops], [0, [], 0, 1]);
  });
});
