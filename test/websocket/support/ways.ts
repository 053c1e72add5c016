// The ways to receive a message.
import assert from "node:assert/strict";
import type { Handler } from "../../../src/core/index.ts";
import type { ReceivedPart, Stream } from "../../../src/websocket/index.ts";
import { concat } from "./frames.ts";

/** A message as it was received: its kind, and what is in it. */
export type Seen = [kind: string, value: string];

/** What `read` gave. */
export const seen = (message: string | Uint8Array): Seen =>
  typeof message === "string" ? ["text", message] : ["binary", Buffer.from(message).toString("latin1")];

/** What is handed out is exact, and the receiver's own: whoever changes it changes nothing else. */
export function own(bytes: Uint8Array): Uint8Array {
  assert.equal(bytes.buffer.byteLength, bytes.length, "part of a larger buffer");
  const copy = bytes.slice();
  bytes.fill(0xcc);
  return copy;
}

/** A message that was received in parts. */
export const whole = (kind: string, bytes: Uint8Array): Seen => [
  kind,
  Buffer.from(bytes).toString(kind === "text" ? "utf8" : "latin1"),
];

/** Each way to receive one message. */
export const ways: [name: string, receive: (ws: Stream) => Promise<Seen>][] = [
  ["read", async (ws) => seen(await ws.read())],
  [
    "readSome",
    async (ws) => {
      const parts: Uint8Array[] = [];
      for (;;) {
        const { bytes, kind, done } = await ws.readSome();
        parts.push(own(bytes));
        if (done) return whole(kind, concat(...parts));
      }
    },
  ],
  [
    "readSome with a handler",
    (ws) =>
      new Promise((resolve, reject) => {
        const parts: Uint8Array[] = [];
        const next: Handler<ReceivedPart> = (error, part) => {
          if (error !== undefined) return reject(error);
          parts.push(own(part.bytes));
          if (part.done) resolve(whole(part.kind, concat(...parts)));
          else ws.readSome(next);
        };
        ws.readSome(next);
      }),
  ],
  [
    "the parts of nextMessage",
    async (ws) => {
      const message = await ws.nextMessage();
      const parts: Uint8Array[] = [];
      for await (const bytes of message) {
        assert.ok(bytes.length > 0);
        parts.push(own(bytes));
      }
      return whole(message.kind, concat(...parts));
    },
  ],
  [
    "nextMessage and bytes",
    async (ws) => {
      const message = await ws.nextMessage();
      return whole(message.kind, own(await message.bytes()));
    },
  ],
  [
    "nextMessage and text, or bytes",
    async (ws) => {
      const message = await ws.nextMessage();
      return message.kind === "text" ? ["text", await message.text()] : whole("binary", await message.bytes());
    },
  ],
];
