// A connection over a stream whose writes complete when the test says so, and what it sends.
import assert from "node:assert/strict";
import {
  coreError,
  ServalError,
  type ByteStream,
  type Handler,
  type Role,
  type WriteHandler,
} from "../../../src/core/index.ts";
import { currentContext } from "../../../src/core/internal.ts";
import { Connection } from "../../../src/websocket/connection/connection.ts";
import type { Item, PartedMessage } from "../../../src/websocket/connection/item.ts";
import type { SendQueue } from "../../../src/websocket/connection/send-queue.ts";
import type { Deflater } from "../../../src/websocket/deflate/deflate.ts";
import { finalBit, opcode } from "../../../src/websocket/frames/frame.ts";
import { Settings } from "../../../src/websocket/options/settings.ts";
import type { DataOpcode, Outgoing } from "../../../src/websocket/protocol/outgoing.ts";
import type { WholeData } from "../../../src/websocket/protocol/prepared.ts";
import { concat, describeFrame, framesIn, type SentFrame } from "./frames.ts";
import { messagesIn } from "./sent-messages.ts";
import { stepUntil } from "../../support/until.ts";

/** How messages are framed. */
export interface SendingOptions {
  fragmentSize: number;
  highWaterMark: number;
  deflater: Deflater | undefined;
  threshold: number;
  maxBufferedAmount: number;
}

/** A connection that has only a sending half, and what leaves of what it frames. */
export class Sending {
  readonly role: Role;
  readonly connection: Connection<undefined>;
  /** What `error` was told. */
  readonly errors: string[] = [];
  left: Uint8Array = new Uint8Array(0);
  /** The write in flight. */
  flight: { readonly bytes: Uint8Array; readonly done: WriteHandler } | undefined;
  isClosed = false;

  constructor({ deflater, threshold = 0, ...options }: Partial<SendingOptions> = {}, role: Role = "server") {
    this.role = role;
    const settings = new Settings<undefined>({
      timeouts: { handshake: Infinity },
      message() {},
      error: (_, { code }) => void this.errors.push(code),
    });
    const limits = { fragmentSize: Infinity, highWaterMark: 64 * 1024, maxBufferedAmount: Infinity, ...options };
    Object.assign(settings, limits, { deflate: { threshold } });
    const opened = { role, deflate: undefined, context: currentContext() };
    this.connection = new Connection(undefined, this.#next(), opened, settings, () => {});
    Object.assign(this.outgoing, { deflater });
  }

  get outgoing(): Outgoing {
    return this.connection.protocol.outgoing;
  }

  get queue(): SendQueue {
    return this.connection.queue;
  }

  send(code: DataOpcode, data: WholeData, compress: boolean, isPatient = false): number | Item {
    return queued<number | Item>(this.connection.write(code, data, compress, isPatient));
  }

  begin(code: DataOpcode | undefined, compress: boolean): PartedMessage {
    return queued<PartedMessage>(this.connection.begin(code, compress));
  }

  part(message: PartedMessage, bytes: Uint8Array, isLast: boolean): number | Item {
    return this.connection.part(message, bytes, isLast);
  }

  /** A close frame without a code, in its place. */
  close(): void {
    this.connection.close(1005, "");
  }

  /** What waits leaves, at most `count` bytes of it, and there is room for more. */
  leave(count = Infinity): void {
    this.connection.flush();
    const { flight } = this;
    if (flight === undefined) return;
    const bytes = flight.bytes.subarray(0, count);
    this.left = concat(this.left, bytes);
    flight.done(undefined, bytes.length);
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

  /** Waits for what was queued, and notes what comes of it: whether it is done, and whether that was a failure. */
  told(waiting: number | Item): { done: boolean; code: string | undefined } {
    const state = { done: false, code: undefined as string | undefined };
    const handler: Handler = (error) => {
      assert.equal(state.done, false, "told twice");
      Object.assign(state, { done: true, code: error?.code });
    };
    if (typeof waiting !== "number") waiting.handler = handler;
    else if (this.connection.hasWritten(waiting)) state.done = true;
    else this.connection.waitWritten(waiting, handler);
    return state;
  }

  /** The stream below: it never brings anything. */
  #next(): ByteStream {
    return {
      readSome() {},
      writeSome: (buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler) => {
        if (this.flight !== undefined) throw coreError("core.operation_pending");
        const done: WriteHandler = (error, count) => {
          this.flight = undefined;
          handler(error, count);
        };
        this.flight = { bytes: concat(...(buffers instanceof Uint8Array ? [buffers] : buffers)), done };
      },
      shutdown() {},
      watch() {},
      reset() {},
      close: () => void (this.isClosed = true),
    } as ByteStream;
  }
}

function queued<Kind>(outcome: Kind | ServalError): Kind {
  assert.ok(!(outcome instanceof ServalError));
  return outcome;
}

/** The frames behind `fill`. */
export const behindFill = (frames: SentFrame[]): SentFrame[] => frames.slice(8);

/** Messages as their opcodes and payloads. */
export function textsIn(frames: SentFrame[]): [code: number, payload: string][] {
  return messagesIn(frames).map(({ code, payload }) => [code, Buffer.from(payload).toString("latin1")]);
}
