import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { currentContext } from "../../../src/core/async-context.ts";
import { FlatBuffer, type ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { shareOfAll, turnBudget } from "../../../src/core/turn-budget.ts";
import { RequestParser } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { RequestBody } from "../../../src/http/server/request-body.ts";
import { ResponseWriter } from "../../../src/http/server/response-writer.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { bytesOf } from "../support/samples.ts";
import { quiet } from "../../support/quiet.ts";

const goOn = "HTTP/1.1 100 Continue\r\n\r\n";

/** Lets microtasks run, in this turn of the event loop. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

/** The body of a request whose head has been read. */
class Fixture {
  readonly clock: VirtualClock = new VirtualClock();
  readonly stream: PairStream;
  readonly peer: PairStream;
  readonly parser: RequestParser = new RequestParser();
  readonly body: RequestBody;
  /** What the reads and drains have come to. */
  readonly outcomes: (string | undefined)[] = [];

  constructor(framing: number | string, isAwaited = false, peer: PairOptions = {}) {
    [this.stream, this.peer] = pair({ record: true }, peer);
    const settings = new ServeSettings({ clock: this.clock, timeouts: { body: 1000, write: Infinity } });
    const writer = new ResponseWriter(this.stream, settings, () => {});
    const header = typeof framing === "string" ? framing : `Content-Length: ${framing}`;
    this.parser.put(bytesOf(`POST / HTTP/1.1\r\n${header}\r\n\r\n`));
    const { stream, parser } = this;
    const reader = { buffer: new FlatBuffer(), parser };
    const owner = { context: currentContext(), stream, reader, writer, settings, spent: 0, spentIn: 0 };
    this.body = new RequestBody(owner, isAwaited);
  }

  read(): void {
    this.body.readPart((error, part) => this.outcomes.push(error?.code ?? (part && decodeLatin1(part))));
  }

  drain(most: number): void {
    this.body.drain(most, (error: ServalError | undefined) =>
      this.outcomes.push(error?.code ?? String(this.body.isDone)),
    );
  }

  send(text: string): void {
    this.peer.writeSome(bytesOf(text), () => {});
  }

  get sent(): string {
    return decodeLatin1(this.stream.sent);
  }
}

describe("RequestBody", () => {
  it("reads parts, and says its end again", async () => {
    const fixture = new Fixture(5);
    assert.deepEqual([fixture.body.contentLength, fixture.body.isDone], [5, false]);
    for (const text of ["he", "llo"]) {
      fixture.read();
      assert.equal(fixture.body.isReading, true);
      fixture.send(text);
      await quiet();
    }
    fixture.read();
    await quiet();
    assert.deepEqual(fixture.outcomes, ["he", "llo", undefined]);
    assert.deepEqual([fixture.body.isDone, fixture.body.isReading], [true, false]);
    fixture.body.close();
    assert.equal(fixture.clock.pending, 0);
  });

  it("tells the client to go on before the first read, and once", async () => {
    const fixture = new Fixture(5, true, { capacity: 10 });
    fixture.read();
    await quiet();
    assert.equal(fixture.body.isReading, false, "what it is told is still on its way");
    fixture.peer.readSome(() => fixture.peer.readSome(() => fixture.peer.readSome(() => {})));
    await quiet();
    assert.deepEqual([fixture.body.isReading, fixture.body.isAwaited, fixture.sent], [true, false, goOn]);
    fixture.send("he");
    await quiet();
    fixture.read();
    fixture.send("llo");
    await quiet();
    assert.deepEqual([fixture.outcomes, fixture.sent], [["he", "llo"], goOn]);
  });

  it("has a time for all its reads, which stands still between them", async () => {
    const fixture = new Fixture(5);
    fixture.read();
    await fixture.clock.advance(600);
    fixture.send("h");
    await fixture.clock.advance(5000);
    fixture.read();
    await fixture.clock.advance(399);
    assert.deepEqual(fixture.outcomes, ["h"]);
    await fixture.clock.advance(1);
    assert.deepEqual(fixture.outcomes, ["h", "core.timeout"]);
    // What comes now is nobody's.
    fixture.send("ello");
    await quiet();
    fixture.read();
    await quiet();
    assert.deepEqual(fixture.outcomes, ["h", "core.timeout", "core.timeout"]);
    assert.deepEqual([fixture.body.error?.code, fixture.clock.pending], ["core.timeout", 0]);
  });

  it("leaves what may be much work for another turn, if the common share of this one is used up", async () => {
    const chunk = "1\r\nx\r\n";
    for (const [chunks, isLeft] of [
      [100, false],
      [200, true],
    ] as const) {
      const fixture = new Fixture("Transfer-Encoding: chunked");
      fixture.read();
      await quiet();
      turnBudget.spend({ spent: 0, spentIn: 0 }, 2 * shareOfAll);
      fixture.send(chunk.repeat(chunks));
      await microtasks();
      assert.equal(turnBudget.isSpent, true);
      assert.equal(fixture.outcomes.length, isLeft ? 0 : 1);
      // The time of waiting here is not the client's.
      await fixture.clock.advance(5000);
      await quiet();
      assert.equal(fixture.outcomes[0]!.length, chunks);
      fixture.body.close();
    }
  });

  it("tells its reader of an end while a part is left for another turn, once", async () => {
    const fixture = new Fixture("Transfer-Encoding: chunked");
    fixture.read();
    await quiet();
    turnBudget.spend({ spent: 0, spentIn: 0 }, 2 * shareOfAll);
    fixture.send("1\r\nx\r\n".repeat(200));
    await microtasks();
    assert.deepEqual([fixture.outcomes, fixture.body.isReading], [[], false]);
    fixture.body.close();
    await quiet();
    assert.deepEqual([fixture.outcomes, fixture.clock.pending], [["core.aborted"], 0]);
  });

  it("is drained up to so many bytes", async () => {
    for (const [length, text, most, outcome] of [
      [5, "hello", 5, "true"],
      [6, "", 5, "false"],
      [5, "hello", 100, "true"],
    ] as const) {
      const fixture = new Fixture(length);
      if (text !== "") fixture.send(text);
      fixture.drain(most);
      await quiet();
      assert.deepEqual(fixture.outcomes, [outcome]);
      fixture.body.close();
      assert.equal(fixture.clock.pending, 0);
    }
    const failing = new Fixture(5);
    failing.drain(5);
    failing.peer.end();
    await quiet();
    assert.deepEqual(failing.outcomes, ["http.partial_message"]);
  });

  it("closed, it is read no more, and a waiting reader fails", async () => {
    for (const isAwaited of [false, true]) {
      const fixture = new Fixture(5, isAwaited, { capacity: 1 });
      fixture.read();
      fixture.stream.close();
      fixture.body.close();
      await quiet();
      fixture.read();
      await quiet();
      assert.deepEqual(fixture.outcomes, ["core.aborted", "core.aborted"]);
      assert.equal(fixture.clock.pending, 0);
    }
  });

  it("fails if the stream is read elsewhere", async () => {
    const fixture = new Fixture(5);
    fixture.stream.readSome(() => {});
    fixture.read();
    assert.equal(fixture.body.isReading, false);
    await quiet();
    assert.deepEqual(fixture.outcomes, ["core.operation_pending"]);
  });
});
