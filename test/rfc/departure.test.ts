// Whatever is sent, in whatever way, arrives at a peer, in both roles: the peer reads the frames by RFC 6455, and decompresses with
// node:zlib and the window that was agreed on.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { MessageData, Stream } from "../../src/websocket/index.ts";
import { concat } from "../websocket/support/frames.ts";
import { until } from "../support/until.ts";
import { fc, runs } from "../support/property.ts";
import { data, whole, window } from "./support/arbitraries.ts";
import { PeerInflater, type Window } from "./support/deflate.ts";
import { open, roles, type Endpoint } from "./support/endpoint.ts";
import { compressed } from "./support/negotiated.ts";

/** A message as we send it. */
interface Sent {
  data: MessageData;
  /** `write`, `send`, `writeSome` or `write` of an iterable; whole or in pieces of this size. */
  way: "write" | "send" | "writeSome" | "iterable";
  size: number;
  compress: boolean;
  /** A ping behind it, or behind its first piece. */
  ping: boolean;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  data,
  way: fc.constantFrom("write", "send", "writeSome", "iterable"),
  size: fc.integer({ min: 1, max: 20_000 }),
  compress: fc.boolean(),
  ping: fc.boolean(),
});

/** A message in pieces, text cut between characters: half a surrogate pair is no text. */
function inPieces({ data, size }: Sent): MessageData[] {
  const characters = typeof data === "string" ? Array.from(data) : undefined;
  const pieces = Array.from({ length: Math.ceil((characters ?? data).length / size) }, (_, i) => {
    const [from, to] = [i * size, (i + 1) * size];
    return characters?.slice(from, to).join("") ?? data.slice(from, to);
  });
  return pieces.length === 0 ? [data] : pieces;
}

/** Sends a message; fulfils when no more of it is asked for. */
async function send(ws: Stream, message: Sent): Promise<void> {
  const { data, way, compress, ping } = message;
  const pieces = inPieces(message);
  const writes: Promise<void>[] = [];
  if (way === "send") ws.send(data, { compress });
  else if (way === "write") writes.push(ws.write(data, { compress }));
  else if (way === "iterable") writes.push(ws.write(pieces, { compress }));
  else {
    for (const [i, piece] of pieces.entries()) {
      writes.push(ws.writeSome(piece, i === pieces.length - 1, { compress }));
      if (ping) void ws.ping("x");
    }
  }
  if (ping) void ws.ping("x");
  await Promise.all(writes);
}

const speech = fc.record({
  agreed: window,
  messages: fc.array(sent, { minLength: 1, maxLength: 8 }),
  writeBufferSize: fc.integer({ min: 8, max: 200_000 }),
  threshold: fc.nat({ max: 300 }),
  level: fc.integer({ min: 0, max: 9 }),
  maxWrite: fc.oneof(fc.integer({ min: 50, max: 5000 }), fc.constant(Infinity)),
});

for (const role of roles) {
  it(`any messages sent arrive at a peer: we are the ${role}`, async () => {
    await fc.assert(
      fc.asyncProperty(speech, async ({ agreed, messages, writeBufferSize, threshold, level, maxWrite }) => {
        const setup = compressed(role, { ours: agreed }, { writeBufferSize, threshold, level });
        const endpoint = await open(role, { options: { writeBufferSize }, ...setup, pair: { maxWrite } });
        await Promise.all(messages.map((message) => send(endpoint.ws, message)));
        void endpoint.ws.close();
        await until(() => endpoint.sent.at(-1)?.code === 8);
        assert.deepEqual(
          heard(endpoint, agreed),
          messages.map(({ data }) => data),
        );
      }),
      { numRuns: runs(100) },
    );
  });
}

/** The messages that a peer makes of what was sent. */
function heard(endpoint: Endpoint, agreed: Window | undefined): MessageData[] {
  const inflater = agreed && new PeerInflater(agreed);
  const messages: MessageData[] = [];
  let fragments: Uint8Array[] = [];
  let kind: "text" | "binary" = "text";
  let isDeflated = false;
  for (const { code, rsv, fin, payload } of endpoint.sent.filter(({ code }) => code < 8)) {
    if (code !== 0) {
      kind = code === 1 ? "text" : "binary";
      isDeflated = rsv === 4;
      assert.equal(fragments.length, 0);
    }
    assert.equal(rsv, code !== 0 && isDeflated ? 4 : 0);
    fragments.push(payload);
    if (!fin) continue;
    const all = concat(...fragments);
    messages.push(whole(kind, isDeflated ? inflater!.inflate(all) : all));
    fragments = [];
  }
  return messages;
}
