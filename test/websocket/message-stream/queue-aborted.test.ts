// Writes that are given up.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { handled } from "../../../src/core/internal.ts";
import { prepare, type MessageSource } from "../../../src/websocket/index.ts";
import { extensions, open, roles } from "../support/client-kit.ts";
import { utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, outcomeOf } from "../support/kit.ts";
import { messagesIn, payloadsIn } from "../support/sent-messages.ts";
import { behind, never, slow, Source, stuck } from "../support/slow-peer.ts";
import { fc, runs } from "../../support/property.ts";
import { until } from "../../support/until.ts";

for (const role of roles) {
  describe(`as a ${role}: a write that is aborted`, () => {
    const kinds: [name: string, data: () => MessageSource | string | Uint8Array | Uint8Array[]][] = [
      ["text", () => "not this"],
      ["bytes", () => utf8("not this")],
      ["a list", () => [utf8("not"), utf8("this")]],
      ["a long one", () => new Uint8Array(100_000)],
      ["a source", () => new Source(() => "not this")],
      ["a source that gives nothing", () => new Source(() => never)],
    ];
    for (const [name, data] of kinds) {
      it(`is withdrawn if nothing of it has left: ${name}`, async () => {
        const connection = await stuck(role, { highWaterMark: 100 });
        const { ws } = connection;
        const controller = new AbortController();
        const given = data();
        const before = ws.write("before");
        const written = ws.write(given, { signal: controller.signal });
        const after = ws.write("after");
        await quiet();
        controller.abort("enough");
        const outcome = await outcomeOf(written);
        assert.ok(outcome !== "pending");
        assert.deepEqual([outcome.error?.code, outcome.error?.cause], ["core.aborted", "enough"]);
        await connection.takeAll();
        await Promise.all([before, after]);
        assert.deepEqual(behind(connection), ["text before", "text after"]);
        assert.equal(ws.bufferedAmount, 0);
        if (given instanceof Source) assert.equal(given.ended, 1);
      });
    }

    it("is withdrawn even if there is room, when it must wait: for the caller's memory, or for a source", async () => {
      for (const data of [
        new Uint8Array(50_000),
        [new Uint8Array(50_000)],
        new Source(() => never),
        new Source((count) => (count < 3 ? "a" : never)),
      ]) {
        const connection = await stuck(role);
        const { ws } = connection;
        const controller = new AbortController();
        const written = ws.write(data, { signal: controller.signal });
        assert.equal(await codeOf(written), "pending");
        controller.abort();
        assert.equal(await codeOf(written), "core.aborted");
        ws.send("after");
        await connection.takeAll();
        assert.deepEqual(behind(connection), ["text after"]);
        if (data instanceof Source) assert.equal(data.ended, 1);
      }
    });

    it("in memory, it is sent whole if part of it has left", async () => {
      const connection = await slow(role, { highWaterMark: 100, writeBufferSize: 1000 });
      const { ws } = connection;
      const controller = new AbortController();
      const { signal } = controller;
      const source = new Source((count) => (count < 30 ? "x".repeat(100) : undefined));
      const writes = [ws.write(new Uint8Array(5000), { signal }), ws.write(source, { signal })];
      await quiet();
      controller.abort();
      assert.equal(await codeOf(writes[0]), "core.aborted");
      // The second has not begun.
      assert.equal(await codeOf(writes[1]), "core.aborted");
      assert.equal(source.ended, 1);
      await connection.takeAll();
      assert.deepEqual(
        messagesIn(connection.sent).map(({ payload }) => payload.length),
        [5000],
      );
    });

    it("aborted before the call, it is not sent, and reads nothing from a source", async () => {
      const connection = await open(role);
      const source = new Source(() => "a");
      for (const data of ["a", utf8("a"), source]) {
        assert.equal(await codeOf(connection.ws.write(data, { signal: AbortSignal.abort() })), "core.aborted");
      }
      assert.deepEqual([connection.frames, source.asked, source.ended], [[], 0, 0]);
    });

    it("at any time, among any others, to a peer of any speed: never a withdrawn one, and half a message only before a close", async () => {
      const step = fc.record({
        what: fc.constantFrom(
          "text",
          "bytes",
          "list",
          "source",
          "source",
          "prepared",
          "ping",
          "abort",
          "abort",
          "take",
          "take",
          "take",
        ),
        size: fc.oneof(fc.nat(40), fc.nat(3000), fc.integer({ min: 16_000, max: 40_000 })),
        aborts: fc.boolean(),
      });
      // Seldom is a source the first in the queue, has begun, and is then aborted.
      const begun = ["source", "take", "abort"].map((what) => ({ what, size: 30_000, aborts: true }));
      const deflated = new Set<boolean>();
      let cuts = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(fc.constantFrom([], [], begun), fc.array(step, { minLength: 1, maxLength: 30 })),
          fc.constantFrom(1, 500, 64 * 1024, Infinity),
          fc.constantFrom(100, 4000, 128 * 1024),
          fc.constantFrom(undefined, extensions, "permessage-deflate"),
          async ([first, others], highWaterMark, writeBufferSize, agreed) => {
            const takesOver = agreed === "permessage-deflate";
            const deflate = takesOver && { serverNoContextTakeover: false, clientNoContextTakeover: false };
            const connection = await slow(
              role,
              { highWaterMark, writeBufferSize, overflow: "wait", deflate: deflate || agreed !== undefined },
              { peerPair: { capacity: 3000, maxRead: 1500 }, ...(agreed !== undefined && { extensions: agreed }) },
            );
            const { ws } = connection;
            const writes: {
              fill: number;
              size: number;
              aborts: boolean;
              controller: AbortController;
              outcome: Promise<unknown>;
            }[] = [];
            for (const { what, size, aborts } of [...first, ...others]) {
              if (what === "take") await connection.takeSome();
              else if (!ws.isOpen) break;
              else if (what === "ping") handled(ws.ping(utf8("p")));
              else if (what === "abort") {
                const left = writes.filter((write) => write.aborts && !write.controller.signal.aborted);
                left[size % left.length]?.controller.abort();
              } else {
                const fill = (writes.length % 90) + 33;
                const bytes = new Uint8Array(size).fill(fill);
                const half = size >> 1;
                const data = {
                  text: () => String.fromCharCode(fill).repeat(size),
                  bytes: () => bytes,
                  list: () => [bytes.subarray(0, half), bytes.subarray(half)],
                  source: () =>
                    Array.from({ length: 8 }, (_, i) =>
                      bytes.subarray((size * i) >> 3, (size * (i + 1)) >> 3),
                    ).values(),
                  prepared: () => prepare(bytes),
                }[what as "text"]();
                const controller = new AbortController();
                const write = aborts ? ws.write(data, { signal: controller.signal }) : ws.write(data);
                writes.push({
                  fill,
                  size,
                  aborts,
                  controller,
                  outcome: write.then(
                    () => "sent",
                    (error: ServalError) => error.code,
                  ),
                });
              }
            }
            await connection.takeAll();
            await until(() => ws.bufferedAmount === 0);
            await quiet();
            const { sent } = connection;
            // A message from a source, aborted when part of it had left, ends the connection.
            const isCut = connection.frames.at(-1) === "close 1011";
            if (isCut) cuts++;
            if (sent.some(({ rsv }) => rsv !== 0)) deflated.add(takesOver);
            const arrived = payloadsIn(messagesIn(sent, isCut), takesOver);
            // How many of them the writes so far may account for: a withdrawn write may have arrived or not, and of two
            // empty messages nobody can tell which one it was.
            let counts = new Set([0]);
            for (const { fill, size, outcome } of writes) {
              const result = await outcome;
              const next = new Set<number>();
              for (const count of counts) {
                if (result === "core.aborted" || (isCut && count === arrived.length)) next.add(count);
                const message = arrived[count];
                if (message?.length === size && message.every((byte) => byte === fill)) next.add(count + 1);
              }
              assert.ok(next.size > 0, `a message was lost that was ${String(result)}`);
              counts = next;
            }
            assert.ok(
              counts.has(arrived.length),
              `${arrived.length} messages arrived, not ${[...counts].join(" or ")}`,
            );
            assert.equal(ws.isOpen, !isCut);
            ws.terminate();
          },
        ),
        { numRuns: runs(120) },
      );
      assert.equal(deflated.size, 2, "nothing was compressed");
      assert.ok(cuts > 0, "nothing was cut");
    });
  });
}
