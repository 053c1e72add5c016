// What frames come to, as a peer puts them together.
import assert from "node:assert/strict";
import { unpacked } from "./deflated.ts";
import { concat, type SentFrame } from "./frames.ts";

/** A message as it was sent: of its first frame the opcode and the reserved bits, and the payload of all. */
export interface SentMessage {
  code: number;
  rsv: number;
  payload: Uint8Array;
}

/** Frames to messages. A message inside another fails the test, and so does half a message, unless the end may have cut it. */
export function messagesIn(frames: SentFrame[], mayBeCut = false): SentMessage[] {
  const messages: SentMessage[] = [];
  let open: { code: number; rsv: number; payloads: Uint8Array[] } | undefined;
  for (const { code, rsv, fin, payload } of frames) {
    if (code >= 8) continue;
    assert.equal(code === 0, open !== undefined, "a message inside another");
    open ??= { code, rsv, payloads: [] };
    open.payloads.push(payload);
    if (!fin) continue;
    messages.push({ code: open.code, rsv: open.rsv, payload: concat(...open.payloads) });
    open = undefined;
  }
  if (!mayBeCut) assert.equal(open, undefined, "half a message");
  return messages;
}

/** The payloads of messages, inflated: each by itself, or with what was deflated before it. */
export function payloadsIn(messages: SentMessage[], takesOver = false): Uint8Array[] {
  const deflated: Uint8Array[] = [];
  let inflated = 0;
  return messages.map(({ rsv, payload }) => {
    if (rsv === 0) return payload;
    if (!takesOver) return unpacked(payload);
    deflated.push(payload);
    const all = unpacked(...deflated);
    const own = all.subarray(inflated);
    inflated = all.length;
    return own;
  });
}
