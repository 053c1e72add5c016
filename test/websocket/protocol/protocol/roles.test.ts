// The two roles talk to each other: whatever the one says, the other hears, however the bytes are cut.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Protocol, type ProtocolOptions } from "../../../../src/websocket/index.ts";
import { describeBoth, jsonText, noise } from "../../support/deflated.ts";
import { describeEvent, drain } from "../../support/protocol.ts";
import { fc, runs } from "../../../support/property.ts";

const free = "permessage-deflate";
const alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** Something that is said, and what is heard of it. */
interface Said {
  say: (one: Protocol) => void;
  heard: string[];
}

const hex = (value: string | Uint8Array): string => Buffer.from(value).toString("hex");
const messageOf = (value: string | Uint8Array): string =>
  typeof value === "string" ? `text ${value}`.trim() : `binary ${hex(value)}`.trim();

const value: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.trim()),
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.nat({ max: 3000 }), fc.nat()).map(([size, seed]) => Buffer.from(jsonText(size, seed)).toString()),
  fc.tuple(fc.nat({ max: 40_000 }), fc.nat()).map(([size, seed]) => noise(size, seed)),
  fc.nat({ max: 400_000 }).map((size) => "x".repeat(size)),
);
const whole = fc
  .tuple(value, fc.boolean())
  .map(([data, compress]): Said => ({ say: (one) => one.send(data, { compress }), heard: [messageOf(data)] }));
const inFrames = fc
  .tuple(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean())
  .map(([parts, compress, isPinged]): Said => {
    const ping = isPinged ? ["ping 6d6964"] : [];
    return {
      say(one) {
        for (const [i, part] of parts.entries()) {
          one.send(part, { compress, fin: i === parts.length - 1 });
          if (isPinged && i === 0) one.ping("mid");
        }
      },
      heard: parts.length === 1 ? [messageOf(parts[0]!), ...ping] : [...ping, messageOf(Buffer.concat(parts))],
    };
  });
const control = fc
  .tuple(fc.constantFrom("ping", "pong"), fc.uint8Array({ maxLength: 125 }))
  .map(([kind, payload]): Said => ({ say: (one) => one[kind](payload), heard: [`${kind} ${hex(payload)}`.trim()] }));
const talk = fc.array(fc.oneof({ weight: 3, arbitrary: whole }, inFrames, control), { maxLength: 8 });
const sizes = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 })));

/** Moves all bytes that one has to send to the other, cut anywhere, and what that makes the other send; what each heard. */
function converse(one: Protocol, other: Protocol, cuts: fc.Stream<number>): [string[], string[]] {
  const heard: [string[], string[]] = [[], []];
  const move = (from: Protocol, to: Protocol, seen: string[]): boolean => {
    const list = from.bytesToSend();
    for (const bytes of list) {
      for (let at = 0; at < bytes.length;) {
        const size = cuts.next().value;
        const lent = new Uint8Array(bytes.subarray(at, at + size));
        to.receive(lent);
        seen.push(...drain(to).map(describeEvent));
        lent.fill(0xdb);
        at += size;
      }
    }
    return list.length > 0;
  };
  while (move(one, other, heard[1]) || move(other, one, heard[0])) {
    // Until neither has anything to send.
  }
  return heard;
}

describeBoth("both roles", (canTakeOver) => {
  for (const extensions of [undefined, alone, ...(canTakeOver ? [free] : [])]) {
    it(`receive each other's messages, with ${extensions ?? "no extension"}`, () => {
      fc.assert(
        fc.property(talk, talk, sizes, fc.boolean(), (ofServer, ofClient, cuts, isServerFirst) => {
          const options: Omit<ProtocolOptions, "role"> = {
            extensions,
            deflate: { threshold: 0 },
            highWaterMark: Infinity,
          };
          const server = new Protocol({ role: "server", ...options });
          const client = new Protocol({ role: "client", ...options });
          for (const { say } of ofServer) say(server);
          for (const { say } of ofClient) say(client);
          const heard = isServerFirst
            ? converse(server, client, cuts)
            : (converse(client, server, cuts).toReversed() as [string[], string[]]);
          for (const [i, said, replies] of [
            [0, ofClient, ofServer],
            [1, ofServer, ofClient],
          ] as const) {
            const pongs = replies.flatMap((each) => each.heard).filter((event) => event.startsWith("ping"));
            assert.deepEqual(
              heard[i]!.filter((event) => event !== "inflating"),
              [...said.flatMap((each) => each.heard), ...pongs.map((event) => event.replace("ping", "pong"))],
            );
          }
          assert.deepEqual([server.state, client.state], ["open", "open"]);
          server.end();
          client.end();
        }),
        { numRuns: runs(100) },
      );
    });
  }
});

describe("the closing handshake between the two", () => {
  for (const first of ["server", "client", "both"] as const) {
    it(`begun by ${first} is clean, with the codes that were sent`, () => {
      const server = new Protocol({ role: "server" });
      const client = new Protocol({ role: "client" });
      if (first !== "client") server.close({ code: 4001, reason: "server" });
      if (first !== "server") client.close({ code: 4002, reason: "client" });
      const [atServer, atClient] = converse(server, client, fc.sample(fc.infiniteStream(fc.constant(3)), 1)[0]!);
      const expected = {
        server: [["close 4001"], ["close 4001 server"]],
        client: [["close 4002 client"], ["close 4002"]],
        both: [["close 4002 client"], ["close 4001 server"]],
      }[first];
      assert.deepEqual([atServer, atClient], expected);
      assert.deepEqual([server.closeInfo.clean, client.closeInfo.clean], [true, true]);
      assert.deepEqual([server.canReceive, client.canReceive], [false, false]);
    });
  }
});
