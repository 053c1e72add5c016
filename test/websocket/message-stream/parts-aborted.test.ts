// Reads that are given up: nothing of a message is lost, however it is received.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Message, ReceivedPart } from "../../../src/websocket/index.ts";
import { extensions, open, roles, type Connection } from "../support/client-kit.ts";
import { noise, packed } from "../support/deflated.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { own, seen, ways, whole, type Seen } from "../support/ways.ts";
import { fc, runs } from "../../support/property.ts";
import { until } from "../../support/until.ts";

for (const role of roles) {
  describe(`as a ${role}: receiving, with a signal`, () => {
    /** Aborts a way of reading when something of a message has come; what has come is then read in another. */
    const begun: [name: string, begin: (connection: Connection) => Uint8Array, rest: (c: Connection) => Uint8Array][] =
      [
        ["nothing of it", () => new Uint8Array(0), (c) => concat(c.text("né", { fin: false }), c.more("€"))],
        [
          "half a frame",
          (c) => c.text("né", { fin: false }).subarray(0, -1),
          (c) => concat(c.text("né", { fin: false }).subarray(-1), c.more("€")),
        ],
        ["a fragment", (c) => c.text("né", { fin: false }), (c) => c.more("€")],
        [
          "fragments and a ping",
          (c) => concat(c.text("n", { fin: false }), c.more("é", { fin: false }), c.ping("p")),
          (c) => c.more("€"),
        ],
        [
          "an empty fragment",
          (c) => concat(c.text("", { fin: false }), c.more("né€", { fin: false })),
          (c) => c.more(""),
        ],
      ];
    for (const [name, begin, rest] of begun) {
      it(`a read that is aborted after ${name} loses nothing: every way gets it`, async () => {
        for (const [, receive] of ways) {
          for (let times = 1; times <= 3; times++) {
            const connection = await open(role);
            const { ws } = connection;
            for (let i = 0; i < times; i++) {
              const controller = new AbortController();
              const read = ws.read({ signal: controller.signal });
              if (i === 0) await connection.say(begin(connection));
              controller.abort();
              assert.equal(await codeOf(read), "core.aborted");
            }
            const received = receive(ws);
            await connection.say(rest(connection), connection.text("next"));
            assert.deepEqual(await received, ["text", "né€"]);
            assert.equal(await ws.read(), "next");
          }
        }
      });
    }

    it("bytes collected for an aborted read are returned by readSome at once", async () => {
      for (const [name, begin] of begun.slice(1)) {
        const connection = await open(role);
        const controller = new AbortController();
        const read = connection.ws.read({ signal: controller.signal });
        await connection.say(begin(connection));
        controller.abort();
        assert.equal(await codeOf(read), "core.aborted");
        const part = (await codeOf(connection.ws.readSome())) as ReceivedPart;
        assert.notEqual(part, "pending", name);
        assert.deepEqual([part.bytes[0], part.kind, part.done], [0x6e, "text", false]);
        own(part.bytes);
      }
    });

    for (const way of ["readSome", "nextMessage"] as const) {
      it(`an aborted ${way} loses nothing, and with an aborted signal it takes nothing`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        const controller = new AbortController();
        const waiting = ws[way]({ signal: controller.signal });
        await quiet();
        controller.abort("enough");
        assert.equal(await codeOf(waiting), "core.aborted");
        await connection.say(connection.text("a", { fin: false }));
        assert.equal(await codeOf(ws[way]({ signal: controller.signal })), "core.aborted");
        await connection.say(connection.more("b"));
        assert.equal(await ws.read(), "ab");
      });
    }

    it("aborted while it drops the rest of a message, the next read continues that", async () => {
      for (const next of ["read", "nextMessage"] as const) {
        for (const steps of [0, 1, 2]) {
          const connection = await open(role);
          const { ws } = connection;
          await connection.say(connection.text("a", { fin: false }));
          await ws.nextMessage();
          const controller = new AbortController();
          const read = ws[next]({ signal: controller.signal });
          for (let i = 0; i < steps; i++) await connection.say(connection.more("b", { fin: false }));
          controller.abort();
          assert.equal(await codeOf(read), "core.aborted");
          // Another that is aborted before it begins.
          assert.equal(await codeOf(ws[next]({ signal: controller.signal })), "core.aborted");
          const message = ws[next]();
          await connection.say(connection.more("c"), connection.text("next"));
          const received = await codeOf(message);
          assert.equal(next === "read" ? received : await (received as Message).text(), "next");
        }
      }
    });
  });

  it(`as a ${role}: any messages, cut anywhere, received in any ways, with any reads aborted, are exact`, async () => {
    const message = fc.record({
      isText: fc.boolean(),
      isDeflated: fc.boolean(),
      size: fc.oneof(fc.nat(20), fc.nat(2000), fc.integer({ min: 60_000, max: 200_000 })),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      way: fc.nat(ways.length - 1),
      /** How often a read of it is given up, and after how many turns. */
      aborts: fc.array(fc.nat(3), { maxLength: 3 }),
    });
    const chunks = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 90_000 })));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), chunks, async (all, sizes) => {
        const connection = await open(role, { deflate: true }, { extensions });
        const { ws } = connection;
        const expected: Seen[] = [];
        const frames: Uint8Array[] = [];
        for (const { isText, isDeflated, size, cuts } of all) {
          const bytes = isText ? utf8("né€😀".repeat(size / 4)) : noise(size, size);
          expected.push(whole(isText ? "text" : "binary", bytes));
          const payload = isDeflated ? packed(bytes) : bytes;
          const ends = [
            ...cuts.map((cut) => Math.floor(cut * payload.length)).toSorted((a, b) => a - b),
            payload.length,
          ];
          for (const [i, end] of ends.entries()) {
            const part = payload.subarray(ends[i - 1] ?? 0, end);
            const form = { fin: i === ends.length - 1, rsv: isDeflated && i === 0 ? 4 : 0 };
            const first = isText ? connection.text(part, form) : connection.binary(part, form);
            frames.push(i === 0 ? first : connection.more(part, form), connection.ping("p"));
          }
        }
        const bytes = concat(...frames);
        const sending = (async () => {
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value;
            await connection.say(bytes.subarray(at, at + size));
            at += size;
          }
        })();
        const received: Seen[] = [];
        for (const { way, aborts } of all) {
          let early: Seen | undefined;
          for (const turns of aborts) {
            if (early !== undefined) break;
            const controller = new AbortController();
            const read = ws.read({ signal: controller.signal }).then(seen, () => undefined);
            for (let turn = 0; turn < turns; turn++) await quiet();
            controller.abort();
            early = await read;
          }
          received.push(early ?? (await ways[way][1](ws)));
        }
        await sending;
        await quiet();
        assert.deepEqual(received, expected);
        assert.equal(connection.frames.length, frames.length / 2);
        ws.terminate();
      }),
      { numRuns: runs(60) },
    );
  });

  describe(`as a ${role}: a read that is aborted while its message is inflated elsewhere`, () => {
    const message = noise(200_000);

    /** A connection that is inflating a message, or has, which nobody waits for any more. */
    async function given(isInflated: boolean): Promise<Connection> {
      const connection = await open(role, { deflate: true }, { extensions });
      const { ws } = connection;
      const controller = new AbortController();
      const read = ws.read({ signal: controller.signal });
      await connection.say(connection.binary(packed(message), { rsv: 4 }), connection.text("next"));
      assert.equal(ws.stats().messagesReceived, 0, "it is inflated already");
      controller.abort();
      assert.equal(await codeOf(read), "core.aborted");
      if (isInflated) while (ws.stats().messagesReceived === 0) await quiet();
      return connection;
    }

    for (const isInflated of [false, true]) {
      for (const [name, receive] of ways) {
        it(`${name} gets it, ${isInflated ? "when it is there" : "when it comes"}`, async () => {
          const connection = await given(isInflated);
          const [kind, value] = await receive(connection.ws);
          assert.equal(kind, "binary");
          assert.ok(value === Buffer.from(message).toString("latin1"));
          assert.equal(await connection.ws.read(), "next");
        });
      }

      it(`does not delay closing, ${isInflated ? "when it is there" : "when it comes"}`, async () => {
        const connection = await given(isInflated);
        const closed = connection.ws.close();
        await connection.say(connection.close(1000));
        await until(() => connection.next.unread === 0 && connection.next.reading);
        assert.deepEqual(await connection.end(), { code: 1000, reason: "", clean: true });
        await closed;
      });
    }
  });
}
