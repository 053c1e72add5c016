// Drives an Incoming as a session does, over bytes that are overwritten as soon as they may be.
import assert from "node:assert/strict";
import type { Role } from "../../../src/core/index.ts";
import type { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import { event, found, take, type Take } from "../../../src/websocket/protocol/event.ts";
import { Incoming, type IncomingOptions } from "../../../src/websocket/protocol/incoming.ts";

/** An event as a short text: `text hello`, `binary 0102`, `ping 00`, `failed websocket.bad_opcode`. */
export type Seen = string;

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

interface Options extends IncomingOptions {
  role: Role;
  inflater: Inflater | undefined;
}

export function serverSide({ role = "server", inflater, ...options }: Partial<Options> = {}): Incoming {
  return new Incoming(role, { maxMessageSize: 1 << 20, maxFragments: Infinity, text: "string", ...options }, inflater);
}

/** Takes all events that there are. */
export function drain(incoming: Incoming, taking: Take = take.message): Seen[] {
  const seen: Seen[] = [];
  for (let next = incoming.next(taking); next !== undefined; next = incoming.next(taking)) {
    switch (next) {
      case event.message:
        seen.push(messageOf(incoming));
        break;
      case event.failed:
        seen.push(`failed ${found.failure}`);
        return seen;
      case event.data:
        seen.push("data");
        return seen;
      default: {
        const kind = next === event.ping ? "ping" : next === event.pong ? "pong" : "close";
        seen.push(`${kind} ${takeOwn(found.control)}`.trim());
      }
    }
  }
  return seen;
}

function messageOf({ isText }: Incoming): Seen {
  const { message } = found;
  const kind = isText ? "text" : "binary";
  if (typeof message === "string") return `${kind} ${message}`.trim();
  return `${kind}${isText ? " bytes" : ""} ${takeOwn(message)}`.trim();
}

/** What the application gets is never part of a larger buffer, and its to change: nothing that comes later may show it. */
function takeOwn(bytes: Uint8Array): string {
  assert.equal(bytes.buffer.byteLength, bytes.length, "the event's bytes are part of a larger buffer");
  const hex = hexOf(bytes);
  bytes.fill(0xcc);
  return hex;
}

/** Feeds the pieces one after the other, and takes the events behind each. */
export function feed(incoming: Incoming, pieces: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    incoming.receive(lent);
    const events = drain(incoming);
    incoming.retain();
    lent.fill(0xdb);
    seen.push(...events);
    if (events.at(-1)?.startsWith("failed") === true) break;
  }
  return seen;
}
