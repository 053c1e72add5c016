import type { CloseInfo, Role, ServalError } from "../../core/index.ts";
import { decodeUtf8, encodeUtf8, isValidUtf8 } from "../../core/internal.ts";
import { closeCode, closeCodeOf, isValidCloseCode } from "../frames/close-code.ts";
import type { Deflater, Inflater } from "../deflate/deflate.ts";
import { websocketError, type WebsocketCode } from "../frames/errors.ts";
import { finalBit, opcode } from "../frames/frame.ts";
import { ratio, type Statistics } from "../options/statistics.ts";
import { event, found, type Event, type Take } from "./event.ts";
import { Incoming, type IncomingOptions } from "./incoming.ts";
import { Outgoing, type OutgoingOptions } from "./outgoing.ts";

/**
 * The state of the closing handshake (RFC 6455 section 7.1), named after the side that acted.
 *
 * - `open`: neither side has sent a close frame
 * - `closedByUs`: ours is queued or sent, the peer's is awaited; received data is dropped
 * - `closedByPeer`: the peer's came first and was answered
 * - `closedByBoth`: the peer's came after ours
 * - `failed`: the peer violated the protocol or a limit, and was told with a close frame
 */
export type ProtocolState = "open" | "closedByUs" | "closedByPeer" | "closedByBoth" | "failed";

/** The counts of a connection that its protocol does not know. */
export type OwnStatistics = Pick<
  Statistics,
  "messagesDropped" | "bufferedAmount" | "roundTripTime" | "pauses" | "throttles" | "turnsWaited"
>;

/** Options of a {@link ProtocolCore}. */
export interface CoreOptions extends IncomingOptions, OutgoingOptions {
  /** Whether pings are answered. Default true. */
  readonly autoPong?: boolean;
  /** Whether close frames and violations are answered, and data is dropped after our close frame. Default true. */
  readonly autoClose?: boolean;
  /** Pongs are withheld while more than this many bytes wait to be sent; the last one is sent afterwards. */
  readonly highWaterMark: number;
}

/**
 * RFC 6455 from the first frame on, without I/O: received bytes go in through `incoming`, events come out of {@link
 * next}, bytes to send wait in `outgoing`. Every control frame is written here, including a pong or the answer to a
 * close frame that a read owes. Events are numbers and leave their content in {@link found}, so that no object is made
 * for one.
 */
export class ProtocolCore {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  /** The state of the closing handshake. */
  state: ProtocolState = "open";
  /** The code and reason of the peer's close frame, once it has arrived; 1005 if it had none. */
  closeCode: number = closeCode.abnormal;
  closeReason = "";
  /** The peer's violation, in the state `failed`. */
  failure: ServalError | undefined;

  #withheldPong: Uint8Array | undefined;
  /** Whether the peer's close frame or violation waits for the caller's answer. */
  #owesClose = false;

  /** `inflater` and `deflater` are given if compression was negotiated. */
  constructor(role: Role, options: CoreOptions, inflater?: Inflater, deflater?: Deflater) {
    this.incoming = new Incoming(role, options, inflater);
    this.outgoing = new Outgoing(role, options, deflater);
  }

  get #options(): CoreOptions {
    return this.outgoing.options as CoreOptions;
  }

  /** Whether messages, pings and pongs may still be sent. */
  get canSend(): boolean {
    return this.state === "open" || this.#owesClose;
  }

  /** Whether the peer's frames are still taken. */
  get canReceive(): boolean {
    return this.state === "open" || this.state === "closedByUs";
  }

  /** Takes the next event, like {@link Incoming.next}, and does what the protocol owes for it. */
  next(taking: Take): Event | undefined {
    if (!this.canReceive) return undefined;
    const next = this.incoming.next(taking);
    if (next === event.ping) this.#answerPing(found.control);
    else if (next === event.close) return this.#receiveClose(found.control);
    else if (next === event.failed) return this.fail(found.failure!, found.because);
    return next;
  }

  /** All counts of a connection. One literal, since spreading `own` would take several microseconds. */
  statistics(own: OwnStatistics): Statistics {
    const { incoming, outgoing } = this;
    return {
      messagesReceived: incoming.messages,
      messagesSent: outgoing.messages,
      messagesDropped: own.messagesDropped,
      bytesReceived: incoming.received,
      bytesSent: outgoing.written,
      payloadReceived: incoming.payload,
      payloadSent: outgoing.payloadSize,
      compressionReceived: ratio(incoming.deflatedPayload, incoming.inflatedPayload),
      compressionSent: ratio(outgoing.deflatedPayload, outgoing.inflatedPayload),
      bufferedAmount: own.bufferedAmount,
      roundTripTime: own.roundTripTime,
      pauses: own.pauses,
      throttles: own.throttles,
      turnsWaited: own.turnsWaited,
      bytesUnread: incoming.available,
    };
  }

  /** Queues a ping or pong of up to 125 bytes (RFC 6455 sections 5.5.2 and 5.5.3). */
  control(code: typeof opcode.ping | typeof opcode.pong, payload: Uint8Array): void {
    this.outgoing.bytes(finalBit | code, payload);
  }

  /** Queues our close frame; nothing is sent after it. `reason` takes at most 123 bytes. */
  close(code: number = closeCode.noStatus, reason = ""): void {
    this.#sendClose(code, reason);
    if (this.#owesClose) {
      this.#owesClose = false;
      return;
    }
    this.state = "closedByUs";
    if (this.#answersClose) this.incoming.dropData();
  }

  /** Whether a pong is withheld until there is room. */
  get owesPong(): boolean {
    return this.#withheldPong !== undefined;
  }

  /** Sends the withheld pong, if any, now that there is room. */
  sendWithheldPong(): void {
    const payload = this.#withheldPong;
    if (payload === undefined || !this.canSend || this.outgoing.bufferedAmount > this.#options.highWaterMark) return;
    this.#withheldPong = undefined;
    this.outgoing.bytes(finalBit | opcode.pong, payload);
  }

  /** The peer violated the protocol: a close frame tells it so (section 7.1.7), and nothing more is read. */
  fail(failure: WebsocketCode, message?: string): typeof event.failed {
    const error = websocketError(failure, message === undefined ? {} : { message });
    if (this.state === "open") this.#answerClose(closeCodeOf(error), error.message);
    this.failure = error;
    this.state = "failed";
    this.incoming.clear();
    return event.failed;
  }

  /** Continues after `event.deflated`, like {@link Incoming.inflated}. */
  inflated(result: Uint8Array | WebsocketCode): Event {
    const next = this.incoming.inflated(result);
    return next === event.failed ? this.fail(found.failure!, found.because) : next;
  }

  /** How the connection ends, `isFinished` with an orderly end of the transport (RFC 6455 sections 7.1.5 and 7.1.6). */
  closeInfo(isFinished: boolean): CloseInfo {
    const { state, failure, closeCode: code, closeReason: reason } = this;
    if (state === "failed") return { code: closeCodeOf(failure!), reason: failure!.message, clean: false };
    return { code, reason, clean: isFinished && (state === "closedByPeer" || state === "closedByBoth") };
  }

  #answerPing(payload: Uint8Array): void {
    if (!this.canSend || this.#options.autoPong === false) return;
    // Section 5.5.3 allows answering only the last of several pings, so a flood costs one payload while the peer does
    // not read. A copy, since the application also gets the payload and may change it.
    if (this.outgoing.bufferedAmount > this.#options.highWaterMark) this.#withheldPong = payload.slice();
    else this.outgoing.bytes(finalBit | opcode.pong, payload);
  }

  #receiveClose(payload: Uint8Array): Event {
    const wrong = checkClosePayload(payload, this.#options.skipUtf8Validation);
    if (wrong !== undefined) {
      found.value = payload.length === 1 ? 1 : (payload[0]! << 8) | payload[1]!;
      return this.fail(wrong);
    }
    this.closeCode = payload.length === 0 ? closeCode.noStatus : (payload[0]! << 8) | payload[1]!;
    this.closeReason = decodeUtf8(payload, 2, Math.max(2, payload.length));
    if (this.state === "open") {
      // Section 5.5.1: the answer echoes the code.
      this.#answerClose(this.closeCode, "");
      this.state = "closedByPeer";
    } else {
      this.state = "closedByBoth";
    }
    this.incoming.clear();
    return event.close;
  }

  /** Whether data is dropped that arrives after our close frame. */
  get dropsData(): boolean {
    return this.#answersClose;
  }

  get #answersClose(): boolean {
    return this.#options.autoClose !== false;
  }

  #answerClose(code: number, reason: string): void {
    if (this.#answersClose) this.#sendClose(code, reason);
    else this.#owesClose = true;
  }

  #sendClose(code: number, reason: string): void {
    const text = encodeUtf8(reason);
    const payload = new Uint8Array(code === closeCode.noStatus ? 0 : 2 + text.length);
    if (payload.length > 0) {
      payload[0] = code >>> 8;
      payload[1] = code;
      payload.set(text, 2);
    }
    this.outgoing.bytes(finalBit | opcode.close, payload);
  }
}

/** The rules for a close frame's payload (RFC 6455 sections 5.5.1 and 7.4). */
function checkClosePayload(payload: Uint8Array, skipUtf8Validation = false): WebsocketCode | undefined {
  if (payload.length === 0) return undefined;
  if (payload.length === 1) return "websocket.bad_close_size";
  if (!isValidCloseCode((payload[0]! << 8) | payload[1]!)) return "websocket.bad_close_code";
  if (!skipUtf8Validation && !isValidUtf8(payload.subarray(2))) return "websocket.bad_close_payload";
  return undefined;
}
