import type { WebsocketCode } from "../frames/errors.ts";

const empty: Uint8Array = new Uint8Array(0);

/**
 * What came with an event of `Incoming.next`, to be looked at before anything else is asked of any connection. There is one
 * for all: so a connection that rests holds no message that it once received.
 */
export const found = {
  /** After `event.message`: the message, the receiver's own. */
  message: empty as string | Uint8Array,
  /** After `event.part`: the next bytes of the message, the receiver's own and possibly none, and whether they are the last. */
  part: empty as Uint8Array,
  isLast: false,
  /** After `event.deflated`: the payload of the whole message. */
  deflated: empty as Uint8Array,
  /** After the event of a control frame: its payload. */
  control: empty as Uint8Array,
  /** After `event.failed`: what was wrong. */
  failure: undefined as WebsocketCode | undefined,
};
