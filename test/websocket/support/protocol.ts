// Drives a Protocol as its owner does, over bytes that are overwritten as soon as they may be.
import assert from "node:assert/strict";
import type { Protocol, ProtocolEvent } from "../../../src/websocket/index.ts";
import { concat } from "./frames.ts";

/** An event as a short text: `text hello`, `binary 0102`, `ping 61`, `close 1000 bye`, `failed websocket.bad_opcode`. */
export function describeEvent(event: ProtocolEvent): string {
  switch (event.type) {
    case "message":
      return `${event.kind} ${typeof event.data === "string" ? event.data : own(event.data)}`.trim();
    case "part":
      return `${event.kind} part ${own(event.data)}${event.done ? " done" : ""}`;
    case "close":
      return `close ${event.code} ${event.reason}`.trim();
    case "failed":
      return `failed ${event.error.code}`;
    case "inflating":
      return "inflating";
    default:
      return `${event.type} ${own(event.payload)}`.trim();
  }
}

/** The receiver's own bytes, in hex: nothing that comes later may show that they were changed. */
function own(bytes: Uint8Array): string {
  assert.equal(bytes.buffer.byteLength, bytes.length, "the event's bytes are part of a larger buffer");
  const hex = Buffer.from(bytes).toString("hex");
  bytes.fill(0xcc);
  return hex;
}

/** All events that there are. */
export function drain(protocol: Protocol): ProtocolEvent[] {
  const events: ProtocolEvent[] = [];
  for (let event = protocol.next(); event !== undefined; event = protocol.next()) events.push(event);
  return events;
}

/** Lends it the pieces one after the other; the events of all. */
export function feed(protocol: Protocol, ...pieces: readonly Uint8Array[]): string[] {
  return pieces.flatMap((piece) => {
    const lent = new Uint8Array(piece);
    protocol.receive(lent);
    const events = drain(protocol);
    lent.fill(0xdb);
    return events.map(describeEvent);
  });
}

/** All that it has to send, as one block. */
export const sent = (protocol: Protocol): Uint8Array => concat(...protocol.bytesToSend());
