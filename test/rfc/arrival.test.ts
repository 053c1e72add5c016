// Whatever a peer may legally send arrives as it was meant: in any fragments, with control frames between them, cut anywhere,
// compressed in any way, received in any way, in both roles.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CloseInfo, Role, ServalError } from "../../src/core/index.ts";
import type { MessageData, Stream } from "../../src/websocket/index.ts";
import { concat, utf8 } from "../websocket/support/frames.ts";
import { fc, runs } from "../support/property.ts";
import { data, whole, window } from "./support/arbitraries.ts";
import { PeerDeflater, type Part, type Window } from "./support/deflate.ts";
import { open, roles, type Endpoint, type Speaker } from "./support/endpoint.ts";
import { compressed } from "./support/negotiated.ts";
import { cut } from "./support/wire.ts";

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
  data,
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
  between: fc.array(fc.constantFrom("ping", "pong", undefined), { maxLength: 5 }),
  parts: fc.option(parts, { nil: undefined }),
});

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
  describe(`any valid frames of a peer arrive: we are the ${role}`, () => {
    for (const way of ["message handler", ...Object.keys(receivers)]) {
      it(`through ${way}`, async () => {
        await fc.assert(
          fc.asyncProperty(conversation, ({ agreed, said, seed }) => received(role, way, agreed, said, seed)),
          { numRuns: runs(100) },
        );
      });
    }
  });
}
