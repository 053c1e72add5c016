import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../../src/testing/index.ts";
import { Stream, type MessageData, type StreamOptions } from "../../../src/websocket/index.ts";
import { Settings } from "../../../src/websocket/internal.ts";
import { binary, concat, describeFrames, more, ping, text, wholeFrames } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { opened } from "../support/kit.ts";
import { requestBytes } from "../support/requests.ts";
import { SharedBufferStream } from "../support/shared-buffer.ts";

const rounds = 30;

/** What one client sends: its own letter alone, in all kinds of frames, cut so that frames lie across reads. */
function traffic(letter: string): { pieces: Uint8Array[]; messages: string[]; pongs: string[] } {
  const frames: Uint8Array[] = [];
  const messages: string[] = [];
  for (let i = 0; i < rounds; i++) {
    const size = [1, 20, 47, 48, 49, 130, 900][i % 7];
    const payload = letter.repeat(size);
    if (i % 3 === 0) frames.push(text(payload));
    else if (i % 3 === 1) frames.push(binary(payload));
    else frames.push(text(payload.slice(0, size >> 1), { fin: false }), ping(letter), more(payload.slice(size >> 1)));
    messages.push(payload);
  }
  const all = concat(...frames);
  const pieces: Uint8Array[] = [];
  for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7 + 13) % 1500) {
    pieces.push(all.slice(at, at + size + 1));
    at++;
  }
  const pongs = Array.from({ length: rounds / 3 }, () => `pong ${Buffer.from(letter).toString("hex")}`);
  return { pieces, messages, pongs };
}

const shown = (message: MessageData): string =>
  typeof message === "string" ? message : Buffer.from(message).toString();

describe("two clients whose reads share one buffer never see each other's bytes", () => {
  const handlers: [name: string, wait: () => unknown][] = [
    ["at once", () => undefined],
    ["after a microtask", () => Promise.resolve()],
    ["after a turn of the event loop", () => quiet()],
  ];
  for (const textAs of ["string", "bytes"] as const) {
    for (const [name, wait] of handlers) {
      it(`pushed, echoed ${name}, text as ${textAs}`, async () => {
        const buffer = new Uint8Array(64 * 1024);
        const received: Record<string, string[]> = { a: [], b: [] };
        const options: StreamOptions<string> = {
          clock: new VirtualClock(),
          text: textAs,
          async message(ws, message) {
            const before = shown(message);
            await wait();
            received[ws.data].push(shown(message));
            assert.equal(shown(message), before);
            ws.send(message);
          },
        };
        const settings = new Settings<Stream<string>, string>(options);
        const clients = ["a", "b"].map((letter) => {
          const next = new SharedBufferStream(buffer);
          const ws = new Stream<string>(next, settings);
          return { letter, next, ws, accepted: ws.accept(), ...traffic(letter) };
        });
        for (const { next, ws } of clients) {
          next.arrive(requestBytes());
          await quiet();
          assert.equal(ws.isOpen, true);
        }
        for (const { ws, letter } of clients) ws.data = letter;
        const most = Math.max(...clients.map(({ pieces }) => pieces.length));
        for (let i = 0; i < most; i++) {
          for (const { next, pieces } of clients) if (i < pieces.length) next.arrive(pieces[i]);
        }
        for (let turn = 0; turn < 4 * rounds; turn++) await quiet();
        for (const { letter, next, messages, pongs } of clients) {
          assert.deepEqual(received[letter], messages);
          const frames = next.written.subarray(Buffer.from(next.written).indexOf("\r\n\r\n") + 4);
          assert.equal(wholeFrames(frames), frames.length);
          const sent = describeFrames(frames);
          const echoes = sent.filter((one) => !one.startsWith("pong"));
          assert.deepEqual(
            echoes.map((one) => (one.startsWith("text ") ? one.slice(5) : Buffer.from(one.slice(7), "hex").toString())),
            messages,
          );
          assert.deepEqual(
            sent.filter((one) => one.startsWith("pong")),
            pongs,
          );
        }
      });
    }
  }

  it("pulled: what waits unread is a copy", async () => {
    const buffer = new Uint8Array(64 * 1024);
    const [a, b] = ["a", "b"].map((letter) => {
      const next = new SharedBufferStream(buffer);
      const ws = new Stream(next, { clock: new VirtualClock(), text: "bytes" });
      void ws.accept();
      return { next, ws, ...traffic(letter) };
    });
    // The frames come in one read with the request, so they go through the buffer of the handshake too.
    a.next.arrive(concat(requestBytes(), ...a.pieces));
    b.next.arrive(concat(requestBytes(), ...b.pieces));
    await quiet();
    buffer.fill(0xdb);
    for (let i = 0; i < rounds; i++) {
      for (const { ws, messages } of [a, b]) assert.equal(shown(await ws.read()), messages[i]);
      buffer.fill(0xdb);
    }
  });
});

describe("a pair overwrites what it has lent", () => {
  it("messages, and what waits after an async handler, are copies, however the bytes come", async () => {
    for (const maxRead of [1, 7, 50, 1000, Infinity]) {
      const { pieces, messages } = traffic("x");
      const seen: string[] = [];
      const message = async (_: unknown, one: MessageData): Promise<void> => {
        await quiet();
        seen.push(shown(one));
      };
      const { peer } = await opened({ message, text: "bytes" }, { pair: { maxRead } });
      void peer.write(...pieces);
      for (let turn = 0; turn < 3 * rounds; turn++) await quiet();
      assert.deepEqual(seen, messages, `reads of ${maxRead}`);
    }
  });
});
