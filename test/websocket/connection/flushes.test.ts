import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PairStream } from "../../../src/testing/index.ts";
import { concat, text } from "../support/frames.ts";
import { opened, pulled } from "../support/kit.ts";
import { deferred, quiet } from "../../support/quiet.ts";

/** How many writes a stream is asked for from now on. */
function writesOf(stream: PairStream): () => number {
  let writes = 0;
  const writeSome = stream.writeSome.bind(stream);
  stream.writeSome = (buffers, handler) => {
    writes++;
    writeSome(buffers, handler);
  };
  return () => writes;
}

const messages = concat(...Array.from({ length: 20 }, (_, i) => text(`${i}`)));
const answers = Array.from({ length: 20 }, (_, i) => `text ${i}`);

describe("answers to messages that came in one read", () => {
  it("leave in one write, though the application pulls one after the other", async () => {
    const { ws, peer, next } = await pulled();
    const writes = writesOf(next);
    const echo = async (): Promise<void> => {
      for await (const message of ws) await ws.write(message);
    };
    void echo();
    void peer.write(messages);
    await quiet(2);
    assert.deepEqual([peer.frames, writes()], [answers, 1]);
  });

  it("leave in one write but for the last, though each handler awaits something", async () => {
    const { peer, next } = await opened({
      async message(ws, message) {
        await undefined;
        ws.send(message);
      },
    });
    const writes = writesOf(next);
    void peer.write(messages);
    await quiet(2);
    // The last one is answered when nothing more is there.
    assert.deepEqual([peer.frames, writes()], [answers, 2]);
  });

  it("leave when the loop turns if the application takes longer", async () => {
    const { ws, peer, next } = await pulled();
    const writes = writesOf(next);
    const done = deferred();
    const answer = async (): Promise<void> => {
      await ws.write(await ws.read());
      await done.promise;
      await ws.write(await ws.read());
    };
    void answer();
    void peer.write(messages);
    await quiet(2);
    assert.deepEqual([peer.frames, writes()], [answers.slice(0, 1), 1]);
    done.resolve();
    await quiet(2);
    assert.deepEqual([peer.frames, writes()], [answers.slice(0, 2), 2]);
  });

  it("leave at once when highWaterMark is reached, so that a write can complete", async () => {
    const { ws, peer } = await pulled({ highWaterMark: 100 });
    const large = new Uint8Array(200);
    let written = 0;
    const answer = async (): Promise<void> => {
      await ws.read();
      for (; written < 3; written++) await ws.write(large);
    };
    void answer();
    void peer.write(messages);
    await quiet(4);
    assert.equal(written, 3);
    assert.equal(peer.frames.length, 3);
  });

  it("leave before the close frame of this side", async () => {
    const { ws, peer } = await pulled();
    void peer.write(messages);
    await ws.write(await ws.read());
    void ws.close();
    await quiet();
    assert.deepEqual(peer.frames, ["text 0", "close 1000"]);
    ws.terminate();
  });
});
