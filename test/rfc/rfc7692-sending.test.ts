// RFC 7692 sections 6.1, 7.1 and 7.2.1: what we send under permessage-deflate, in both roles. It is decompressed by node:zlib with
// the window that was agreed on, and not a bit more.
//
// What no test of an endpoint can show:
// - 8, secrets beside what an attacker chooses: what to compress is the application's choice, `compress: false`, which is shown.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Role } from "../../src/core/index.ts";
import type { DeflateOptions, Stream, StreamOptions } from "../../src/websocket/index.ts";
import { concat, utf8 } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { until } from "../support/until.ts";
import { PeerInflater, type Window } from "./support/deflate.ts";
import { open, roles } from "./support/endpoint.ts";
import { compressed } from "./support/negotiated.ts";

const alone: Window = { bits: 15, takeover: false };
const kept: Window = { bits: 15, takeover: true };

type Options = StreamOptions & Pick<DeflateOptions, "level" | "memLevel" | "threshold">;

/** What a peer makes of a message that was sent. */
interface Received {
  data: Uint8Array;
  /** How many bytes it took on the wire, without its frames' headers. */
  size: number;
  isDeflated: boolean;
}

/** Sends with our window, and reads what came of it at a peer; checks what sections 6.1 and 7.2.1 want of every message. */
async function sent(role: Role, ours: Window, options: Options, send: (ws: Stream) => void): Promise<Received[]> {
  const endpoint = await open(role, compressed(role, { ours, theirs: kept }, options));
  send(endpoint.ws);
  void endpoint.ws.close();
  // Large messages are compressed in turns of the event loop, or on other threads.
  await until(() => endpoint.sent.at(-1)?.code === 8);

  const inflater = new PeerInflater(ours);
  const messages: Received[] = [];
  let fragments: Uint8Array[] = [];
  let isDeflated = false;
  for (const { code, rsv, fin, payload } of endpoint.sent) {
    if (code >= 8) continue;
    if (code !== 0) isDeflated = rsv !== 0;
    assert.equal(rsv, code !== 0 && isDeflated ? 4 : 0);
    fragments.push(payload);
    if (!fin) continue;
    const all = concat(...fragments);
    fragments = [];
    assert.ok(
      !isDeflated || Buffer.compare(all.subarray(-4), Uint8Array.of(0, 0, 0xff, 0xff)) !== 0,
      "the tail is left in",
    );
    messages.push({ data: isDeflated ? inflater.inflate(all) : all, size: all.length, isDeflated });
  }
  return messages;
}

for (const role of roles) {
  describe(`RFC 7692 sections 6.1 and 7.2.1: compression by a ${role}`, () => {
    const messages = [
      "",
      "Hello",
      "Hello",
      "ünï©ødé 🦊".repeat(100),
      "x".repeat(200_000),
      Array.from({ length: 20_000 }, (_, i) => `${i * i} `).join(""),
      new Uint8Array(0),
      new Uint8Array(100_000),
      Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3),
      "Hello",
    ];
    const bytes = messages.map((message) => (typeof message === "string" ? utf8(message) : message));
    const datas = (all: readonly Received[]): Uint8Array[] => all.map(({ data }) => data);

    for (const bits of [8, 9, 11, 15]) {
      for (const takeover of [true, false]) {
        for (const [frames, writeBufferSize] of [
          ["fragments", 1000],
          ["whole frames", Infinity],
        ] as const) {
          it(`7.1: ${bits} bits, ${takeover ? "with" : "without"} takeover, in ${frames}: the peer's window is enough`, async () => {
            const all = await sent(role, { bits, takeover }, { writeBufferSize }, (ws) => {
              for (const message of messages) void ws.write(message);
            });
            assert.deepEqual(datas(all), bytes);
            assert.ok(all.some(({ isDeflated }) => isDeflated));
          });
        }
      }
    }

    it("7.2.1: messages in parts, of unknown size, are compressed as they come", async () => {
      for (const takeover of [true, false]) {
        const all = await sent(role, { bits: 12, takeover }, {}, (ws) => {
          for (const [i, message] of messages.entries()) {
            const half = Math.floor(message.length / 2);
            void ws.writeSome(message.slice(0, half), false);
            if (i % 2 === 0) void ws.ping("between");
            void ws.writeSome(message.slice(half), true);
          }
        });
        assert.deepEqual(datas(all), bytes);
      }
    });

    it("7.1.1: with takeover a repeated message takes next to nothing, without it as much as before", async () => {
      const noise = Buffer.from(Array.from({ length: 1000 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 13) & 0xff));
      const twice = (ws: Stream): void => void (ws.send(noise), ws.send(noise));
      const [first, again] = await sent(role, kept, {}, twice);
      const [alsoFirst, alsoAgain] = await sent(role, alone, {}, twice);
      assert.ok(again!.size < first!.size / 5, `${first!.size}, then ${again!.size}`);
      assert.equal(alsoAgain!.size, alsoFirst!.size);
    });

    for (const level of [0, 1, 6, 9]) {
      for (const memLevel of [1, 8, 9]) {
        it(`7.2.1: level ${level}, memLevel ${memLevel}`, async () => {
          const all = await sent(role, { bits: 10, takeover: true }, { level, memLevel }, (ws) => {
            for (const message of messages) ws.send(message);
          });
          assert.deepEqual(datas(all), bytes);
        });
      }
    }

    it("6.1: an endpoint may leave a message uncompressed: below the threshold, or by an option of the call", async () => {
      const all = await sent(role, kept, { threshold: 100 }, (ws) => {
        ws.send("x".repeat(99));
        ws.send("x".repeat(100));
        ws.send("x".repeat(1000), { compress: false });
        void ws.write("x".repeat(1000), { compress: false });
        void ws.write("x".repeat(1000));
      });
      assert.deepEqual(
        all.map(({ data, isDeflated }) => [data.length, isDeflated]),
        [
          [99, false],
          [100, true],
          [1000, false],
          [1000, false],
          [1000, true],
        ],
      );
    });

    it("6.1: pings, pongs and closes are never compressed", async () => {
      const endpoint = await open(role, compressed(role, { ours: kept, theirs: kept }));
      void endpoint.ws.ping("x".repeat(125));
      void endpoint.ws.pong("x".repeat(125));
      await endpoint.hear(endpoint.say.ping("y".repeat(125)));
      void endpoint.ws.close({ reason: "z".repeat(123) });
      await quiet();
      assert.deepEqual(
        endpoint.sent.map(({ rsv, payload }) => [rsv, payload.length]),
        [
          [0, 125],
          [0, 125],
          [0, 125],
          [0, 125],
        ],
      );
    });

    it("6: nothing is compressed unless it was negotiated", async () => {
      const endpoint = await open(role, { options: role === "server" ? { deflate: true } : {} });
      endpoint.ws.send("x".repeat(1000));
      await quiet();
      assert.deepEqual(endpoint.frames, [`text ${"x".repeat(1000)}`]);
    });
  });
}
