// Our protocol without I/O, and the Sender and Receiver of ws: each understands what the other says, in both roles, compressed or
// not, and both make the same bytes of the same frames.
import assert from "node:assert/strict";
import { once, type EventEmitter } from "node:events";
import { describe, it } from "node:test";
import * as ws from "ws";
import type { Role } from "../../src/core/index.ts";
import { Protocol } from "../../src/websocket/index.ts";
import { jsonText, noise } from "../websocket/support/deflated.ts";
import { concat } from "../websocket/support/frames.ts";
import { describeEvent, drain } from "../websocket/support/protocol.ts";
import { random } from "../support/property.ts";

/** What ws exports besides what its types say. */
interface Internals {
  extension: { format(extensions: object): string; parse(header: string): Record<string, object[]> };
  PerMessageDeflate: new (options: object) => { accept(offers: object[]): object; cleanup(): void };
  Receiver: new (options: object) => EventEmitter & { write(bytes: Buffer, done: () => void): void };
  Sender: {
    new (socket: object, extensions: object): Sender;
    frame(data: Buffer, options: object): Buffer[];
  };
}

interface Sender {
  send(data: string | Uint8Array, options: object, done: () => void): void;
  ping(data: string, mask: boolean, done: () => void): void;
  pong(data: string, mask: boolean, done: () => void): void;
  close(code: number, reason: string, mask: boolean, done: () => void): void;
}

const { extension, PerMessageDeflate, Receiver, Sender } = ws as unknown as Internals;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

type Message = string | Uint8Array;
const values: Message[] = [
  "",
  new Uint8Array(0),
  "né€😀",
  Uint8Array.of(0, 255),
  Buffer.from(jsonText(3000)).toString(),
  Buffer.from(jsonText(3000)).toString(),
  noise(70_000),
  "x".repeat(300_000),
  new Uint8Array(1_000_000),
];
const heard: string[] = [
  ...values.map((value) => (typeof value === "string" ? `text ${value}`.trim() : `binary ${hex(value)}`.trim())),
  `ping ${hex(Buffer.from("between"))}`,
  "text onetwothree",
  `pong ${hex(Buffer.from("p"))}`,
  "close 4000 bye",
];

/** What both sides have agreed on, for the options of the offer: the header, and the extension of ws in a role. */
function negotiate(offer: string | undefined): { header: string | undefined; of: (role: Role) => object } {
  if (offer === undefined) return { header: undefined, of: () => ({}) };
  const server = new PerMessageDeflate({ isServer: true, threshold: 0, maxPayload: 0 });
  const parse = (header: string): object[] => extension.parse(header)["permessage-deflate"]!;
  const header = extension.format({ "permessage-deflate": [server.accept(parse(offer))] });
  const client = new PerMessageDeflate({ isServer: false, threshold: 0, maxPayload: 0 });
  client.accept(parse(header));
  return { header, of: (role) => ({ "permessage-deflate": role === "server" ? server : client }) };
}

/** What the Sender of ws makes of all that is said. */
async function saidByWs(role: Role, extensions: object): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const socket = {
    cork() {},
    uncork() {},
    write(bytes: Uint8Array | string, done?: () => void) {
      pieces.push(Buffer.from(bytes as Uint8Array));
      done?.();
    },
  };
  const sender = new Sender(socket, extensions);
  const mask = role === "client";
  const compress = "permessage-deflate" in extensions;
  const all: Promise<void>[] = [];
  const say = (start: (done: () => void) => void): number => all.push(new Promise((resolve) => start(resolve)));
  for (const value of values) {
    say((done) => sender.send(value, { binary: typeof value !== "string", mask, fin: true, compress }, done));
  }
  const part = { binary: false, mask, compress };
  say((done) => sender.send("one", { ...part, fin: false }, done));
  say((done) => sender.ping("between", mask, done));
  say((done) => sender.send("two", { ...part, fin: false }, done));
  say((done) => sender.send("three", { ...part, fin: true }, done));
  say((done) => sender.pong("p", mask, done));
  say((done) => sender.close(4000, "bye", mask, done));
  await Promise.all(all);
  return concat(...pieces);
}

/** What our protocol makes of it. */
function saidByUs(role: Role, extensions: string | undefined): Uint8Array {
  const one = new Protocol({ role, extensions, deflate: { threshold: 0 } });
  for (const value of values) one.send(value);
  one.send("one", { fin: false });
  one.ping("between");
  one.send("two", { fin: false });
  one.send("three");
  one.pong("p");
  one.close({ code: 4000, reason: "bye" });
  return concat(...one.bytesToSend());
}

function pieces(bytes: Uint8Array): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() * 20_000);
    cut.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return cut;
}

function heardByUs(role: Role, extensions: string | undefined, bytes: Uint8Array): string[] {
  const one = new Protocol({ role, extensions });
  return pieces(bytes).flatMap((piece) => {
    one.receive(piece);
    return drain(one)
      .map(describeEvent)
      .filter((event) => event !== "inflating");
  });
}

async function heardByWs(role: Role, extensions: object, bytes: Uint8Array): Promise<string[]> {
  const receiver = new Receiver({ isServer: role === "server", extensions });
  const events: string[] = [];
  receiver.on("message", (data: Buffer, isBinary: boolean) =>
    events.push(`${isBinary ? "binary" : "text"} ${isBinary ? hex(data) : data.toString()}`.trim()),
  );
  receiver.on("ping", (data: Buffer) => events.push(`ping ${hex(data)}`));
  receiver.on("pong", (data: Buffer) => events.push(`pong ${hex(data)}`));
  receiver.on("conclude", (code: number, reason: Buffer) => events.push(`close ${code} ${reason.toString()}`));
  const end = once(receiver, "conclude");
  for (const piece of pieces(bytes)) receiver.write(piece, () => {});
  await end;
  return events;
}

describe("the protocol without I/O and ws", () => {
  for (const role of ["server", "client"] as const) {
    const other = role === "server" ? "client" : "server";
    for (const offer of [
      undefined,
      "permessage-deflate",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
    ]) {
      it(`a ${role} of ours hears what ws says, with ${offer ?? "no extension"}`, async () => {
        const { header, of } = negotiate(offer);
        const said = await saidByWs(other, of(other));
        assert.equal(said.length < 200_000, offer !== undefined, "whether it is compressed");
        assert.deepEqual(heardByUs(role, header, said), heard);
      });

      it(`ws hears what a ${role} of ours says, with ${offer ?? "no extension"}`, async () => {
        const { header, of } = negotiate(offer);
        const said = saidByUs(role, header);
        assert.equal(said.length < 200_000, offer !== undefined, "whether it is compressed");
        assert.deepEqual(await heardByWs(other, of(other), said), heard);
      });
    }
  }

  it("make the same bytes of the same frame, with the same key", () => {
    const generateMask = (mask: Uint8Array): void => mask.set([1, 200, 3, 4]);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
      const payload = noise(size);
      for (const opcode of [0, 1, 2, 8, 9, 10]) {
        for (const [fin, rsv1, mask] of [
          [true, false, true],
          [false, true, true],
          [true, true, false],
        ] as const) {
          const one = new Protocol({ role: "client", generateMask });
          one.sendFrame({ opcode, fin, rsv1, mask }, payload);
          const ofWs = Sender.frame(Buffer.from(payload), { opcode, fin, rsv1, mask, generateMask, readOnly: true });
          assert.deepEqual(concat(...one.bytesToSend()), concat(...ofWs), `opcode ${opcode}, ${size} bytes`);
        }
      }
    }
  });

  it("pass frames of ws on as they are", () => {
    const payload = Buffer.from("framed elsewhere");
    const frames = Sender.frame(payload, { opcode: 1, fin: true, rsv1: false, mask: false, readOnly: true });
    const one = new Protocol({ role: "server" });
    for (const bytes of frames) one.sendFramed(bytes);
    assert.deepEqual(heardByUs("client", undefined, concat(...one.bytesToSend())), ["text framed elsewhere"]);
  });
});
