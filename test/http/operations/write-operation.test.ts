import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { Response, Serializer, type Body } from "../../../src/http/index.ts";
import { WriteOperation } from "../../../src/http/operations/write-operation.ts";
import { pair, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { HandBody } from "../support/serving.ts";
import { until } from "../../support/until.ts";

/** An operation that writes a response with this body, and what it has completed with. */
function writing(
  body: string | Body,
  isEnough?: (serializer: Serializer) => boolean,
  options: PairOptions = {},
): { operation: WriteOperation; stream: PairStream; peer: PairStream; outcomes: (ServalError | undefined)[] } {
  const [stream, peer] = pair({ record: true, ...options }, {});
  const outcomes: (ServalError | undefined)[] = [];
  const serializer = new Serializer(new Response<Body>({ body }), { split: true });
  const enough = isEnough === undefined ? undefined : (): boolean => isEnough(serializer);
  const operation = new WriteOperation(stream, serializer, enough, (error) => outcomes.push(error));
  return { operation, stream, peer, outcomes };
}

describe("WriteOperation", () => {
  it("ends when enough is written, and can be extended", async () => {
    for (const extended of [false, true]) {
      const { operation, stream, outcomes } = writing("hello", (serializer) => serializer.isHeaderDone, {
        maxWrite: 10,
      });
      operation.start(undefined);
      await Promise.resolve();
      if (extended) operation.extend();
      await quiet();
      assert.deepEqual(outcomes, [undefined]);
      assert.equal(decodeLatin1(stream.sent).endsWith("\r\n\r\nhello"), extended);
    }
  });

  it("reports when a write is in flight", async () => {
    const body = new HandBody();
    const { operation, outcomes } = writing(body);
    const told: boolean[] = [];
    operation.onWrite = (isInFlight) => told.push(isInFlight);
    operation.start(undefined);
    await quiet();
    assert.deepEqual(told, [true, false]);
    await body.give("x");
    assert.deepEqual(told, [true, false, true, false]);
    await body.give();
    assert.deepEqual([outcomes, told.length], [[undefined], 6]);
  });

  it("distinguishes the body's failure from the stream's", async () => {
    for (const fault of ["the source's", "the stream's", "nobody's"]) {
      const body = new HandBody();
      const { operation, outcomes } = writing(body, undefined, { failAfter: fault === "the stream's" ? 1 : Infinity });
      operation.start(undefined);
      await quiet();
      if (fault === "the source's") await body.fail(new Error("mine"));
      else await body.give("x");
      if (fault === "nobody's") await body.give();
      assert.equal(outcomes.length, 1);
      assert.equal(operation.hasSourceFailed, fault === "the source's");
    }
  });

  for (const when of ["before it starts", "while it writes", "while it waits for a part", "behind its end"]) {
    it(`cancelled ${when}, it calls nobody and stops the body`, async () => {
      const body = new HandBody();
      const { operation, stream, outcomes } = writing(body);
      if (when !== "before it starts") operation.start(undefined);
      if (when === "while it waits for a part" || when === "behind its end") await quiet();
      if (when === "behind its end") await body.give();
      operation.cancel();
      operation.cancel();
      await quiet();
      const ended = when === "behind its end";
      assert.equal(outcomes.length, ended ? 1 : 0);
      const begun = when === "while it waits for a part";
      assert.deepEqual([body.stops, body.drops], ended ? [0, 0] : begun ? [1, 0] : [0, 1]);
      if (begun) await body.give("late");
      assert.doesNotMatch(decodeLatin1(stream.sent), /late/);
    });
  }

  it("cancelled, it ignores a later failure of the body", async () => {
    const body = new HandBody();
    const { operation, outcomes } = writing(body);
    operation.start(undefined);
    await quiet();
    operation.cancel();
    await body.fail(new Error("late"));
    assert.deepEqual(outcomes, []);
  });

  it("does not grow the stack with a body of many empty parts", async () => {
    async function* empty(): AsyncGenerator<Uint8Array, undefined> {
      for (let i = 0; i < 50_000; i++) yield new Uint8Array(0);
    }
    const { operation, outcomes } = writing(empty());
    operation.start(undefined);
    await until(() => outcomes.length > 0);
    assert.deepEqual(outcomes, [undefined]);
  });

  it("a Node stream that fails before it is read does not end the process: the write gets its error", async () => {
    const mine = new Error("mine");
    const body = new Readable({ read() {} });
    const [stream, other] = pair({}, { capacity: 10 });
    const outcomes: (ServalError | undefined)[] = [];
    const serializer = new Serializer(new Response<Body>({ body }), { split: true });
    new WriteOperation(stream, serializer, undefined, (error) => outcomes.push(error)).start(undefined);
    body.destroy(mine);
    await quiet();
    assert.equal(outcomes.length, 0, "the head is being written");
    const peer = new RawPeer(other);
    await quiet();
    assert.ok(decodeLatin1(peer.received).startsWith("HTTP/1.1 200"));
    assert.deepEqual([outcomes[0]?.code, outcomes[0]?.cause], ["http.body_failed", mine]);
  });

  it("lets others have their turn, with a body whose parts are all ready; aborted meanwhile, it asks for no more", async () => {
    for (const cancels of [false, true]) {
      let given = 0;
      const rows = async function* (): AsyncGenerator<Uint8Array, undefined> {
        for (; given < 1000; given++) yield Buffer.from("row\n");
      };
      const { operation, outcomes } = writing(rows(), undefined, {});
      operation.start(undefined);
      await quiet();
      assert.ok(given > 0 && given < 900, `${given}`);
      if (cancels) operation.cancel();
      const before = given;
      await quiet(50);
      assert.deepEqual([given, outcomes], cancels ? [before, []] : [1000, [undefined]]);
    }
  });
});
