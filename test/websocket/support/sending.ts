// A sender over nothing: what it frames leaves when the test says so.
import assert from "node:assert/strict";
import type { Handler, Role, ServalError } from "../../../src/core/index.ts";
import type { Deflater } from "../../../src/websocket/deflate/deflate.ts";
import { finalBit, opcode } from "../../../src/websocket/frames/frame.ts";
import type { Item } from "../../../src/websocket/connection/item.ts";
import { Outgoing } from "../../../src/websocket/protocol/outgoing.ts";
import { Sender, type SenderOptions } from "../../../src/websocket/connection/sender.ts";
import { concat, describeFrame, framesIn, type SentFrame } from "./frames.ts";
import { messagesIn } from "./sent-messages.ts";
import { stepUntil } from "../../support/until.ts";

/** What a sender is made with. */
export interface SendingOptions extends SenderOptions {
  deflater: Deflater | undefined;
  threshold: number;
}

/** A sender, and what leaves of what it frames. */
export class Sending {
  readonly role: Role;
  readonly outgoing: Outgoing;
  readonly sender: Sender;
  readonly cut: Item[] = [];
  framed = 0;
  lost: ServalError | undefined;
  left: Uint8Array = new Uint8Array(0);
  readonly #waiters: [position: number, handler: Handler][] = [];

  constructor({ deflater, threshold = 0, ...options }: Partial<SendingOptions> = {}, role: Role = "server") {
    this.role = role;
    this.outgoing = new Outgoing(role);
    const given = { deflate: { threshold }, fragmentSize: Infinity, highWaterMark: 64 * 1024, ...options };
    this.sender = new Sender(this.outgoing, deflater, given, {
      waitWritten: (position, handler) => void this.#waiters.push([position, handler]),
      hasWritten: (position) => position <= this.outgoing.written,
      framed: () => void this.framed++,
      cut: (item) => void this.cut.push(item),
      lost: (error) => void (this.lost = error),
    });
  }

  /** What waits leaves, at most `count` bytes of it, and there is room for more. */
  leave(count = Infinity): void {
    const taken = this.outgoing.take();
    if (taken !== undefined) {
      const bytes = concat(...(taken instanceof Uint8Array ? [taken] : taken)).subarray(0, count);
      this.left = concat(this.left, bytes);
      this.outgoing.wrote(bytes.length);
    }
    for (const [position, handler] of this.#waiters.splice(0)) {
      if (position <= this.outgoing.written) handler(undefined);
      else this.#waiters.push([position, handler]);
    }
    this.sender.pump();
  }

  leaveAll(): void {
    stepUntil(
      () => this.outgoing.bufferedAmount === 0,
      () => this.leave(),
    );
  }

  get frames(): SentFrame[] {
    return framesIn(this.left, this.role);
  }

  get texts(): string[] {
    return this.frames.map(describeFrame);
  }

  /** Fills what may be framed ahead, so that all else has to wait. */
  fill(): void {
    stepUntil(
      () => this.outgoing.bufferedAmount >= 64 * 1024,
      () => this.outgoing.bytes(finalBit | opcode.binary, new Uint8Array(8188)),
    );
  }

  /** Sends, and tells what comes of it: whether it is done, and whether that was a failure. */
  told(queued: number | Item): { done: boolean; code: string | undefined } {
    const state = { done: false, code: undefined as string | undefined };
    const handler: Handler = (error) => {
      assert.equal(state.done, false, "told twice");
      Object.assign(state, { done: true, code: error?.code });
    };
    if (typeof queued !== "number") queued.handler = handler;
    else if (queued <= this.outgoing.written) state.done = true;
    else this.#waiters.push([queued, handler]);
    return state;
  }
}

/** The frames behind `fill`. */
export const behindFill = (frames: SentFrame[]): SentFrame[] => frames.slice(8);

/** Messages as their opcodes and payloads. */
export function textsIn(frames: SentFrame[]): [code: number, payload: string][] {
  return messagesIn(frames).map(({ code, payload }) => [code, Buffer.from(payload).toString("latin1")]);
}
