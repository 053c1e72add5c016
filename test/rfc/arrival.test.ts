// Whatever a peer may legally send arrives as it was meant: in any fragments, with control frames between them, cut anywhere,
// compressed in any way, received in any way, in both roles. And what we send arrives at a peer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { CloseInfo, Role, ServalError } from "../../src/core/index.ts";
import type { MessageData, Stream } from "../../src/websocket/index.ts";
import { concat, utf8 } from "../websocket/frames.ts";
import { quiet } from "../websocket/kit.ts";
import { PeerDeflater, PeerInflater, type Part, type Window } from "./deflate.ts";
import { open, roles, type Endpoint, type Speaker } from "./endpoint.ts";
import { compressed } from "./negotiated.ts";
import { cut } from "./wire.ts";

/** A message as the peer sends it. */
interface Said {
  data: MessageData;
  /** Where it is cut into fragments, as shares of its payload. */
  cuts: readonly number[];
  /** What is said between the fragments, before each but the first: a ping, a pong, or nothing. */
  between: readonly ("ping" | "pong" | undefined)[];
  /** How it is compressed, where that was agreed on; undefined for not at all. */
  parts: readonly Part[] | undefined;
}

/** Bytes that are worth compressing, and some that are not. */
const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat({ max: 60 }))
      .map(([unit, times]) => concat(...Array.from({ length: times }, () => unit))),
  },
  { weight: 1, arbitrary: fc.nat({ max: 90_000 }).map((size) => new Uint8Array(size).map((_, i) => (i * i) >> 7)) },
);
const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc
    .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), fc.nat({ max: 300 }))
    .map(([unit, times]) => unit.repeat(times)),
);

const parts: fc.Arbitrary<Part[]> = fc.array(
  fc.record({
    size: fc.nat({ max: 200 }),
    level: fc.integer({ min: 0, max: 9 }),
    strategy: fc.integer({ min: 0, max: 4 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
    ending: fc.constantFrom("sync", "full", "final"),
  }),
  { minLength: 1, maxLength: 4 },
);

const said: fc.Arbitrary<Said> = fc.record({
  data: fc.oneof(bytes, texts),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
  between: fc.array(fc.constantFrom("ping", "pong", undefined), { maxLength: 5 }),
  parts: fc.option(parts, { nil: undefined }),
});

/** What was agreed on for the peer's messages; undefined for no compression. */
const window: fc.Arbitrary<Window | undefined> = fc.option(
  fc.record({ bits: fc.integer({ min: 8, max: 15 }), takeover: fc.boolean() }),
  { nil: undefined },
);

function encode(say: Speaker, deflater: PeerDeflater | undefined, { data, cuts, between, parts }: Said): Uint8Array {
  const isText = typeof data === "string";
  const message = isText ? utf8(data) : data;
  const isDeflated = deflater !== undefined && parts !== undefined;
  const payload = isDeflated ? deflater.deflate(message, parts) : message;
  const ends = [...cuts.map((share) => Math.floor(share * payload.length)), payload.length].toSorted((a, b) => a - b);
  return concat(
    ...ends.flatMap((end, i) => {
      const from = i === 0 ? 0 : ends[i - 1]!;
      const control = i === 0 ? undefined : between[i - 1];
      const form = { fin: i === ends.length - 1, rsv: i === 0 && isDeflated ? 4 : 0 };
      const data = say.frame(i > 0 ? 0 : isText ? 1 : 2, payload.subarray(from, end), form);
      return control === undefined ? [data] : [say.frame(control === "ping" ? 9 : 10, `${i}`), data];
    }),
  );
}

/** How messages are received: each collects them until the end of the connection. */
const receivers: Readonly<Record<string, (ws: Stream, messages: MessageData[]) => Promise<void>>> = {
  read: async (ws, messages) => {
    for (;;) messages.push(await ws.read());
  },
  "for await": async (ws, messages) => {
    for await (const message of ws) messages.push(message);
  },
  readSome: async (ws, messages) => {
    for (;;) {
      const pieces: Uint8Array[] = [];
      for (;;) {
        const { bytes, kind, done } = await ws.readSome();
        pieces.push(bytes);
        if (!done) continue;
        messages.push(whole(kind, concat(...pieces)));
        break;
      }
    }
  },
  nextMessage: async (ws, messages) => {
    for (;;) {
      const message = await ws.nextMessage();
      const pieces: Uint8Array[] = [];
      for await (const bytes of message) pieces.push(bytes);
      messages.push(whole(message.kind, concat(...pieces)));
    }
  },
  "now this, now that": async (ws, messages) => {
    for (let i = 0; ; i++) {
      if (i % 3 === 0) messages.push(await ws.read());
      else {
        const message = await ws.nextMessage();
        messages.push(message.kind === "text" ? await message.text() : await message.bytes());
      }
    }
  },
};

const whole = (kind: "text" | "binary", bytes: Uint8Array): MessageData =>
  kind === "text" ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) : bytes;

/** Receives until the end of the connection, in the named way; pushed where there is no such name. */
async function received(
  role: Role,
  way: string,
  agreed: Window | undefined,
  said: readonly Said[],
  seed: number,
): Promise<void> {
  const receive = receivers[way];
  const endpoint = await open(role, { ...compressed(role, { theirs: agreed }), pulled: receive !== undefined });
  const messages = receive === undefined ? endpoint.messages : [];
  const receiving = receive?.(endpoint.ws, messages).catch((error: ServalError) => error);
  const deflater = agreed && new PeerDeflater(agreed);
  const all = concat(...said.map((one) => encode(endpoint.say, deflater, one)));
  for (const piece of cut(all, seed)) await endpoint.hear(piece);
  await endpoint.hear(endpoint.say.close(1000));
  const info = await settled(endpoint);
  const error = (await receiving) ?? undefined;
  assert.deepEqual(
    [endpoint.errors, error?.code],
    [[], way === "for await" || error === undefined ? undefined : "websocket.closed"],
  );
  assert.deepEqual(info, { code: 1000, reason: "", clean: true });
  assert.deepEqual(
    messages,
    said.map(({ data }) => data),
  );
  const pings = said.flatMap(({ cuts, between }) =>
    between.slice(0, cuts.length).flatMap((kind, i) => (kind === "ping" ? [i + 1] : [])),
  );
  assert.deepEqual(endpoint.frames, [...pings.map((i) => `pong ${Buffer.from(`${i}`).toString("hex")}`), "close 1000"]);
}

/** The end of a connection whose messages may still be inflated on another thread. */
function settled(endpoint: Endpoint): Promise<CloseInfo> {
  endpoint.peer.stream.end();
  return endpoint.ws.closed;
}

const conversation = fc.record({
  agreed: window,
  said: fc.array(said, { minLength: 1, maxLength: 8 }),
  seed: fc.nat(),
});

for (const role of roles) {
  describe(`whatever a peer may send arrives: we are the ${role}`, () => {
    for (const way of ["message handler", ...Object.keys(receivers)]) {
      it(`through ${way}`, async () => {
        await fc.assert(
          fc.asyncProperty(conversation, ({ agreed, said, seed }) => received(role, way, agreed, said, seed)),
          { numRuns: 100 },
        );
      });
    }
  });
}

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
  data: fc.oneof(bytes, texts),
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
  it(`whatever is sent arrives at a peer: we are the ${role}`, async () => {
    await fc.assert(
      fc.asyncProperty(speech, async ({ agreed, messages, writeBufferSize, threshold, level, maxWrite }) => {
        const setup = compressed(role, { ours: agreed }, { writeBufferSize, threshold, level });
        const endpoint = await open(role, { options: { writeBufferSize }, ...setup, pair: { maxWrite } });
        await Promise.all(messages.map((message) => send(endpoint.ws, message)));
        void endpoint.ws.close();
        while (endpoint.sent.at(-1)?.code !== 8) await quiet();
        assert.deepEqual(
          heard(endpoint, agreed),
          messages.map(({ data }) => data),
        );
      }),
      { numRuns: 100 },
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
