// What holds for TLS over any stream, whichever side of the handshake is ours: the same for `acceptTls` and `startTls`.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { lowestLayer, type ByteStream, type ServalError } from "../../../src/core/index.ts";
import type { TlsStream } from "../../../src/net/index.ts";
import { everyFailure, pair, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { exchange, pattern, read, turns, writeAll } from "../../core/support/stream-operations.ts";
import { outcomes } from "../../support/outcomes.ts";
import { failsWith } from "./fails-with.ts";

/** A side of the handshake. */
export interface TlsSide {
  readonly name: string;
  /** Begins the handshake over a stream. */
  start(below: ByteStream, options?: { signal?: AbortSignal }): Promise<TlsStream>;
  /** The other side, over the other end: its stream, and how to be done with it whether there was a handshake or not. */
  answer(stream: ByteStream): { readonly opened: Promise<ByteStream>; end(): void };
}

/** Registers the tests of a side of the handshake. */
export function tlsSuite({ name, start, answer }: TlsSide): void {
  /** Both ends after the handshake, and the stream below ours. */
  async function shaken(options: PairOptions = {}): Promise<[TlsStream, ByteStream, ReturnType<typeof pair>]> {
    const streams = pair(options);
    const other = answer(streams[1]);
    const stream = await start(streams[0]);
    return [stream, await other.opened, streams];
  }

  describe(`${name} over a pair`, () => {
    for (const sizes of [{}, { maxRead: 1 }, { maxWrite: 1 }, { maxRead: 1, maxWrite: 1 }] satisfies PairOptions[]) {
      it(`carries bytes both ways, ${JSON.stringify(sizes)}`, async () => {
        const [stream, peer, [below]] = await shaken(sizes);
        assert.equal(stream.nextLayer, below);
        assert.equal(lowestLayer(stream), below);
        await exchange(stream, peer, pattern(3000, 3), pattern(3000, 4));
        stream.close();
        assert.ok(below.closed);
        peer.close();
      });
    }

    it("fails with the error of the stream below, whatever fails there", async () => {
      const runs = await everyFailure(async (run) => {
        const [ours, theirs] = run.pair({ maxRead: 100 }, {});
        const other = answer(theirs);
        const outcome = await start(ours, { signal: run.signal }).then(
          (stream) => stream.close(),
          ({ code }: ServalError) => code,
        );
        other.end();
        // An end within the handshake is no orderly one.
        const ended = run.failure === "end" ? ["core.connection_reset"] : [];
        assert.ok(outcomes(run, undefined, ...ended).includes(outcome as string | undefined), String(outcome));
      });
      assert.ok(runs.length > 30, runs.join());
    });

    it("fails later with an error of the stream below, and with bytes that are no TLS", async () => {
      const [stream, peer, [, below]] = await shaken();
      const reading = read(stream);
      await turns();
      below.reset();
      await assert.rejects(reading, failsWith("core.connection_reset", /reset/));
      stream.close();
      peer.close();

      const [second, other, [, raw]] = await shaken();
      const failing = read(second);
      await writeAll(raw, Buffer.from("this is no record of TLS at all"));
      await assert.rejects(failing, failsWith("core.transport"));
      second.close();
      other.close();
    });

    it("is aborted by a signal at any time, closes the stream below, and leaves no listener", async () => {
      const [unused] = pair();
      await assert.rejects(start(unused, { signal: AbortSignal.abort() }), failsWith("core.aborted", /aborted/));
      assert.ok(unused.closed);
      for (let count = 0, isOpen = false; !isOpen; count++) {
        assert.ok(count < 10_000, "it never opens");
        const [ours, theirs] = pair({ maxRead: 10 });
        const other = answer(theirs);
        const controller = new AbortController();
        const attempt = start(ours, { signal: controller.signal });
        const outcome = attempt.then((stream) => stream, failsWith("core.aborted", /aborted/));
        // After some turns of the event loop, and within one.
        await turns(count >> 3);
        for (let steps = (count & 7) * 20; steps > 0; steps--) await undefined;
        controller.abort();
        const opened = await outcome;
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
        isOpen = typeof opened === "object";
        if (typeof opened === "object") {
          assert.ok(count > 5, `opened before the ${count}th moment`);
          opened.close();
        }
        assert.ok(ours.closed);
        other.end();
      }
    });

    it("ends if the peer does, or if the stream below is closed elsewhere", async () => {
      for (const end of [(peer: PairStream) => peer.end(), (peer: PairStream) => peer.close()]) {
        const [ours, theirs] = pair();
        const attempt = start(ours);
        end(theirs);
        await assert.rejects(attempt, failsWith("core.connection_reset", /ended/));
        assert.ok(ours.closed);
      }
      const [ours] = pair();
      const attempt = start(ours);
      await turns(2);
      ours.close();
      await assert.rejects(attempt, failsWith("core.aborted", /aborted/));
    });
  });
}
