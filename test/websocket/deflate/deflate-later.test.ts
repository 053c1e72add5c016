import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ThreadedDeflater } from "../../../src/websocket/deflate/deflate-later.ts";
import type { DeflaterOptions } from "../../../src/websocket/deflate/deflate.ts";
import { liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import { describeBoth, jsonText, messages, noise, unpacked } from "../support/deflated.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";

const make = (options: Partial<DeflaterOptions> = {}): ThreadedDeflater =>
  new ThreadedDeflater({ windowBits: 15, level: 6, memLevel: 8, takeover: false, ...options });

const laterFrom = (deflater: ThreadedDeflater, message: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve) => {
    let returned = false;
    deflater.deflateLater(message, (payload) => {
      assert.ok(returned, "called inside the call");
      resolve(payload);
    });
    returned = true;
  });

describeBoth("ThreadedDeflater", (canTakeOver) => {
  for (const takeover of canTakeOver ? [false, true] : [false]) {
    /** The content of the messages of a connection, as its peer reads it. */
    const read = (payloads: Uint8Array[]): Uint8Array =>
      takeover ? unpacked(...payloads) : concat(...payloads.map((payload) => unpacked(payload)));

    describe(takeover ? "with takeover" : "without takeover", () => {
      it("compresses messages of any size, and never calls back inside the call", async () => {
        const deflater = make({ takeover, level: 1 });
        const payloads: Uint8Array[] = [];
        const all = [jsonText(40_000), utf8(""), utf8("x"), noise(100_000), new Uint8Array(70_000), jsonText(40_000)];
        for (const message of all) payloads.push(await laterFrom(deflater, message));
        assert.deepEqual(read(payloads), concat(...all));
        // The payloads are for good: nothing has written over them.
        assert.deepEqual(unpacked(payloads[0]!), all[0]);
        deflater.close();
      });

      it("compresses a message in several pieces", async () => {
        const message = new Uint8Array(2 * 16 * 1024 * 1024 + 5);
        for (let at = 0; at < message.length; at += 997) message[at] = at;
        const deflater = make({ takeover, level: 1 });
        const payload = await laterFrom(deflater, message);
        assert.equal(Buffer.compare(unpacked(payload), message), 0);
        deflater.close();
      });

      it("reports nothing once it is closed", async () => {
        for (const message of [utf8(""), jsonText(40_000)]) {
          const deflater = make({ takeover });
          deflater.deflateLater(message, () => assert.fail("called after close"));
          deflater.close();
        }
        // Another one's comes behind it.
        await laterFrom(make(), jsonText(40_000));
      });
    });
  }
});

describe("ThreadedDeflater with takeover", () => {
  it("refers to a message that was compressed on another thread, and to none before it", async () => {
    for (const windowBits of [9, 12, 15]) {
      const deflater = make({ takeover: true, windowBits });
      const [before, long, small] = [noise(100, 7), noise(50_000), noise(50_000).subarray(-150)];
      const payloads = [new Uint8Array(deflater.deflate(before)), await laterFrom(deflater, long)];
      payloads.push(new Uint8Array(deflater.deflate(small)));
      assert.ok(payloads[2]!.length < 20, `${payloads[2]!.length} bytes for what the peer has`);
      assert.deepEqual(unpacked(...payloads), concat(before, long, small));
      deflater.close();
    }
  });

  it("goes on after messages compressed on another thread as if they had been its own", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(messages, fc.boolean()), { maxLength: 6 }), async (all) => {
        const deflater = make({ takeover: true, windowBits: 10 });
        const payloads: Uint8Array[] = [];
        for (const [message, later] of all) {
          payloads.push(later ? await laterFrom(deflater, message) : new Uint8Array(deflater.deflate(message)));
        }
        assert.deepEqual(unpacked(...payloads), concat(...all.map(([message]) => message)));
        deflater.close();
      }),
      { numRuns: runs(60) },
    );
  });

  it("has a context from the first message until it is closed, but for one on another thread", async () => {
    const before = liveContexts();
    const deflater = make({ takeover: true });
    assert.equal(liveContexts() - before, 0);
    deflater.deflate(utf8("Hello"));
    deflater.deflateSome(utf8("Hello"), false);
    deflater.deflateSome(utf8("Hello"), true);
    assert.equal(liveContexts() - before, 1);
    await laterFrom(deflater, jsonText(40_000));
    assert.equal(liveContexts() - before, 0);
    deflater.deflate(utf8("Hello"));
    assert.equal(liveContexts() - before, 1);
    deflater.close();
    deflater.close();
    assert.equal(liveContexts() - before, 0);
  });
});
