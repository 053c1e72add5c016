import type { WebsocketCode } from "../frames/errors.ts";
import type { ControlKind } from "../options/handlers.ts";

const empty: Uint8Array = new Uint8Array(0);

/** The events of `Incoming.next`. They are numbers, so that no object is made for an event. */
export const event = {
  /** A whole message: in `found.message`. */
  message: 1,
  /** A ping: `found.control` has its payload. */
  ping: 2,
  /** A pong: `found.control` has its payload. */
  pong: 3,
  /** A close frame: `found.control` has its payload. */
  close: 4,
  /** The next frame is a data frame, which the caller does not take now. */
  data: 5,
  /** The peer violated the protocol or a limit; `found.failure` says which. It is the last event. */
  failed: 6,
  /** The next bytes of a message: `found.part`, `found.isLast`. */
  part: 7,
  /**
   * A whole deflated message that is too large to inflate here: its payload is in `found.deflated`. `Incoming.inflated`
   * continues.
   */
  deflated: 8,
} as const;

/** One of {@link event}. */
export type Event = (typeof event)[keyof typeof event];

/** The kinds of the events that are control frames. */
export const controlKinds: {
  readonly [event.ping]: ControlKind;
  readonly [event.pong]: ControlKind;
  readonly [event.close]: ControlKind;
} = {
  [event.ping]: "ping",
  [event.pong]: "pong",
  [event.close]: "close",
};

/** How `Incoming.next` takes data frames. */
export const take = {
  /** Not at all: it stops before one, with `event.data`. */
  nothing: 0,
  /** Message by message. */
  message: 1,
  /** Part by part, as the bytes arrive. */
  part: 2,
} as const;

/** One of {@link take}. */
export type Take = (typeof take)[keyof typeof take];

/**
 * The content of the last event. All connections share this one object, so it is valid only until `next` of any of them is
 * called; and an idle connection keeps no message in memory.
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
  /** After `event.failed`: the violation. */
  failure: undefined as WebsocketCode | undefined,
  /** What is wrong, if it is more exact than the code's message. */
  because: undefined as string | undefined,
  /** The value that is not allowed, if it is a number. */
  value: undefined as number | undefined,
};
