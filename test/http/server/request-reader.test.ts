import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import type { Request } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { RequestReader, type RequestTaker } from "../../../src/http/server/request-reader.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { bytesOf } from "../support/samples.ts";
import { quiet } from "../../support/quiet.ts";
import { get } from "../support/serving.ts";

/** Takes all requests there are, unless it is to stop behind each, and keeps what it is told. */
class Taker implements RequestTaker {
  readonly clock: VirtualClock = new VirtualClock();
  readonly stream: PairStream;
  readonly peer: PairStream;
  readonly reader: RequestReader;
  readonly taken: Request[] = [];
  readonly told: unknown[] = [];
  isEager = true;

  constructor(options: PairOptions = {}) {
    [this.stream, this.peer] = pair(options, {});
    const settings = new ServeSettings({ clock: this.clock, timeouts: { header: 1000, keepAlive: 2000 } });
    this.reader = new RequestReader(this.stream, settings, this);
  }

  arrived(): void {
    try {
      for (let request = this.reader.take(); request !== undefined; request = this.reader.take()) {
        this.taken.push(request);
        this.reader.next(false);
        if (!this.isEager) return;
      }
    } catch (error) {
      this.told.push((error as ServalError).code);
      return;
    }
    this.reader.keepRest();
    this.reader.read();
  }

  ended(error: ServalError | undefined): void {
    this.told.push(["ended", error?.code]);
  }

  halfClosed(): void {
    this.told.push("half-closed");
  }

  lost(error: ServalError): void {
    this.told.push(["lost", error.code]);
  }

  expired(isInside: boolean): void {
    this.told.push(["expired", isInside]);
  }

  send(text: string): void {
    this.peer.writeSome(bytesOf(text), () => {});
  }
}

describe("RequestReader", () => {
  it("gives requests, however they come, and holds nothing between them", async () => {
    for (const maxRead of [1, 7, Infinity]) {
      for (const at of [0, 5, get("/1").length]) {
        const taker = new Taker({ maxRead });
        const text = get("/1") + get("/2");
        taker.reader.start(bytesOf(text.slice(0, at)));
        taker.send(text.slice(at));
        await quiet();
        assert.deepEqual(
          taker.taken.map(({ target }) => target),
          ["/1", "/2"],
        );
        assert.deepEqual(
          [taker.reader.buffer.capacity, taker.reader.isReading, taker.reader.isInside],
          [0, true, false],
        );
        taker.reader.close();
        assert.equal(taker.clock.pending, 0);
      }
    }
  });

  it("keeps the bytes after a request for the next one, or for another protocol", async () => {
    const taker = new Taker();
    taker.isEager = false;
    taker.reader.start(undefined);
    taker.send(`${get("/1")}${get("/2")}rest`);
    await quiet();
    assert.equal(taker.reader.isReading, false);
    assert.equal(decodeLatin1(taker.reader.rest()), `${get("/2")}rest`);
    taker.reader.again();
    assert.equal(taker.taken[1]!.target, "/2");
    const rest = taker.reader.rest();
    taker.reader.buffer.prepare(10_000);
    taker.reader.close();
    assert.equal(decodeLatin1(rest), "rest");
    taker.reader.again();
    taker.reader.read();
    assert.deepEqual([taker.taken.length, taker.stream.reading], [2, false]);
  });

  it("tells how the stream ends", async () => {
    for (const [text, told] of [
      ["", ["ended", undefined]],
      [get("/"), ["ended", undefined]],
      ["\r\n", ["ended", undefined]],
      ["GET", ["ended", "http.partial_message"]],
      ["\0", "http.bad_method"],
    ] as const) {
      const taker = new Taker();
      taker.reader.start(undefined);
      if (text !== "") taker.send(text);
      taker.peer.end();
      await quiet();
      assert.deepEqual(taker.told, [told]);
    }
    const failing = new Taker({ failAfter: 1 });
    failing.reader.start(undefined);
    failing.send(get("/"));
    await quiet();
    assert.deepEqual(failing.told, [["lost", "testing.failure"]]);
  });

  it("tells when it has waited for too long: a head has its time from its first byte on", async () => {
    for (const [first, second, after, isInside] of [
      ["", "", 1000, false],
      ["G", "E", 1000, true],
      [get("/"), "", 2000, false],
      [get("/"), "G", 1000, true],
      [`${get("/")}G`, "E", 1000, true],
    ] as const) {
      const taker = new Taker();
      taker.reader.start(undefined);
      if (first !== "") taker.send(first);
      await quiet();
      if (second !== "" && isInside && first.length > 10) await taker.clock.advance(first.endsWith("G") ? 0 : 1500);
      if (second !== "") taker.send(second);
      await taker.clock.advance(after - 1);
      assert.deepEqual(taker.told, []);
      await taker.clock.advance(1);
      assert.deepEqual(taker.told, [["expired", isInside]]);
      taker.reader.close();
      assert.equal(taker.clock.pending, 0);
    }
  });

  it("looks at nothing that comes when it is closed", async () => {
    const taker = new Taker();
    taker.reader.start(undefined);
    taker.reader.close();
    taker.send(get("/"));
    await quiet();
    assert.deepEqual([taker.taken, taker.told, taker.reader.isReading], [[], [], false]);
  });

  it("throws at its start, and tells later, where someone else reads", async () => {
    const taker = new Taker();
    taker.stream.readSome(() => {});
    assert.throws(() => taker.reader.start(undefined), { code: "core.operation_pending" });
    assert.deepEqual([taker.clock.pending, taker.reader.isReading], [0, false]);
    taker.reader.read();
    assert.deepEqual(taker.told, [["lost", "core.operation_pending"]]);
    taker.reader.close();
    await quiet();
    assert.equal(taker.clock.pending, 0);
  });

  it("tells of a loss while it watches; nothing once it is closed, and nothing where someone else reads", async () => {
    for (const what of ["lost", "closed", "misuse"]) {
      const taker = new Taker();
      if (what === "misuse") taker.stream.readSome(() => {});
      taker.reader.watch();
      if (what === "closed") {
        taker.reader.close();
        taker.reader.watch();
      }
      taker.peer.reset();
      await quiet(2);
      const code = what === "lost" ? "core.connection_reset" : "core.operation_pending";
      assert.deepEqual(taker.told[0], what === "closed" ? undefined : ["lost", code]);
    }
  });

  it("leaves what comes while it watches to the next read", async () => {
    const taker = new Taker();
    taker.reader.watch();
    taker.send(get("/1"));
    await quiet(2);
    assert.equal(taker.taken.length, 0);
    taker.reader.read();
    await quiet(2);
    assert.equal(taker.taken[0]!.target, "/1");
    taker.reader.close();
  });

  it("gives the outcome of a read in flight to its heir", async () => {
    for (const isReading of [true, false]) {
      const taker = new Taker();
      const seen: unknown[] = [];
      if (isReading) taker.reader.start(undefined);
      assert.equal(
        taker.reader.bequeath((_error, bytes) => seen.push(bytes?.length)),
        isReading,
      );
      taker.send("abc");
      await quiet(2);
      assert.deepEqual([seen, taker.taken.length], [isReading ? [3] : [], 0]);
    }
  });

  it("tells of an end while it watches, and of it again when it is to read on", async () => {
    const taker = new Taker();
    taker.isEager = false;
    taker.reader.start(undefined);
    taker.send(get("/"));
    await quiet(2);
    taker.reader.keepRest();
    taker.reader.watch();
    taker.peer.end();
    await quiet(2);
    assert.deepEqual([taker.taken.length, taker.told], [1, ["half-closed"]]);
    taker.reader.read();
    await quiet(2);
    assert.deepEqual(taker.told, ["half-closed", ["ended", undefined]]);
    taker.reader.close();
  });
});
