import type { BufferSource, CloseInfo, Role, ServalError } from "../../core/index.ts";
import {
  bytesOf,
  checkBoolean,
  checkNumber,
  checkOptions,
  encodeUtf8,
  invalidArgument,
  notSendable,
  optionSet,
  show,
} from "../../core/internal.ts";
import type { Deflater } from "../deflate/deflate.ts";
import { howClosed } from "../frames/close-code.ts";
import { websocketError } from "../frames/errors.ts";
import { deflatedBit, finalBit, opcode } from "../frames/frame.ts";
import { checkClose, checkControl } from "../options/control.ts";
import { checkSendOptions } from "../options/of-operations.ts";
import type { CloseOptions, SendOptions } from "../options/options.ts";
import { protocolSettings, type ProtocolOptions } from "../options/protocol-options.ts";
import { compressionOf } from "./compression.ts";
import { event, found, take, type Event, type Take } from "./event.ts";
import type { DataOpcode } from "./outgoing.ts";
import { PreparedMessage } from "./prepared.ts";
import { ProtocolCore, type ProtocolState } from "./protocol-core.ts";
import type { ProtocolEvent } from "./protocol-event.ts";

/** Options of `Protocol.send`. */
export interface ProtocolSendOptions extends SendOptions {
  /**
   * Whether the message ends with this frame. If false, the next `send` continues it, with the first one's `kind` and
   * `compress`. Default true.
   */
  fin?: boolean | undefined;
}

/** A frame for `Protocol.sendFrame` (RFC 6455 section 5.2). */
export interface FrameInit {
  /** The opcode: 0 to 15. */
  opcode: number;
  /** Whether it is the last frame of its message. Default true. */
  fin?: boolean | undefined;
  /** The bit RSV1: whether the payload is compressed (RFC 7692 section 6). Default false. */
  rsv1?: boolean | undefined;
  /** Whether it is masked. Default: a client's frames are. */
  mask?: boolean | undefined;
}

const sendOptions = optionSet("Protocol.send", ["kind", "compress", "fin"], "{ fin: false }");
const closeOptions = optionSet("Protocol.close", ["code", "reason"], '{ code: 4000, reason: "bye" }');
const frameOptions = optionSet("sendFrame", ["opcode", "fin", "rsv1", "mask"], "{ opcode: 1 }");

const nothing: readonly Uint8Array[] = Object.freeze([]);
const inflating: ProtocolEvent = Object.freeze({ type: "inflating" });

/**
 * A WebSocket without I/O (RFC 6455 from the first frame on, RFC 7692), in either role. Received bytes go in through
 * {@link receive}, and events come out of {@link next}; messages go in through {@link send}, and bytes come out of
 * {@link bytesToSend}. The caller moves the bytes, sets the deadlines and ends the transport. Everything is
 * synchronous.
 *
 * Events also queue bytes: pings and close frames are answered, violations are reported to the peer. So call
 * `bytesToSend` after taking events.
 *
 * Every method throws `core.invalid_argument` for an invalid argument, and the methods that send throw
 * `websocket.closed` while {@link canSend} is false.
 */
export class Protocol {
  /** This side's role. */
  readonly role: Role;
  readonly #core: ProtocolCore;
  readonly #taking: Take;
  /** The payload of a long message being inflated. */
  #deflated: Uint8Array | undefined;
  /** A message begun with `fin: false`, and its compressor. */
  #unfinished: { readonly deflater: Deflater | undefined } | undefined;
  /** How many bytes `bytesToSend` returned last. */
  #handedOut = 0;
  /** After `end`: how the connection was closed. */
  #ended: CloseInfo | undefined;

  /** Throws `core.invalid_argument` for an option that does not exist or has an invalid value. */
  constructor(options: ProtocolOptions) {
    const settings = protocolSettings(options);
    const { role, parameters, deflate } = settings;
    this.role = role;
    const { inflater, deflater } = compressionOf(role, parameters, deflate);
    this.#core = new ProtocolCore(role, settings, inflater, deflater);
    this.#taking = settings.parts ? take.part : take.message;
  }

  /** The state of the closing handshake (RFC 6455 section 7.1). */
  get state(): ProtocolState {
    return this.#core.state;
  }

  /** Whether messages and control frames can be sent: neither side has sent a close frame, nothing failed or ended. */
  get canSend(): boolean {
    return this.#core.canSend && this.#ended === undefined;
  }

  /**
   * Whether more events can come. If not, send what {@link bytesToSend} returns, then end the transport: a server at
   * once, a client after the server (RFC 6455 section 7.1.1).
   */
  get canReceive(): boolean {
    return this.#core.canReceive && this.#ended === undefined;
  }

  /**
   * How the connection is closed if the transport ends now (RFC 6455 sections 7.1.5 and 7.1.6): 1006 before the peer's
   * close frame, 1005 for one without a code; for a failure, the code that the peer is told. `clean` once {@link
   * bytesToSend} has returned our close frame too.
   */
  get closeInfo(): CloseInfo {
    return this.#ended ?? this.#core.closeInfo(this.bufferedAmount === this.#handedOut);
  }

  /** How many bytes wait to be sent, with those that {@link bytesToSend} returned last. */
  get bufferedAmount(): number {
    return this.#core.outgoing.bufferedAmount;
  }

  // ---- receiving ----

  /**
   * Takes received bytes, split anywhere. They are borrowed, so must not change, until {@link next} returns undefined
   * or an `inflating` event; with the option `inPlace` they are given away. Take all events before the next call: what is left is copied each time. While {@link
   * canReceive} is false, bytes are dropped.
   */
  receive(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw invalidArgument(`receive takes a Uint8Array, not ${show(bytes)}`);
    if (this.canReceive) this.#core.incoming.receive(bytes);
  }

  /**
   * The next event; undefined if it needs more bytes, and after the last one.
   *
   * The work of one call is bounded: it looks at each received byte once, and inflates a compressed message in steps of
   * up to 32 KiB, or about 256 KiB of what they inflate to. If that was not all of the message, it returns `inflating`;
   * call it again at once, or give others a turn first. Only a long text becomes a string in one step.
   */
  next(): ProtocolEvent | undefined {
    if (!this.canReceive) return undefined;
    const kind = this.#deflated === undefined ? this.#take() : this.#inflate(this.#deflated);
    if (kind === undefined || kind === event.deflated) this.#core.incoming.retain();
    return kind === undefined ? undefined : this.#eventOf(kind);
  }

  #take(): Event | undefined {
    const kind = this.#core.next(this.#taking);
    // All protocols share `found`: the payload is kept here until it is inflated.
    if (kind === event.deflated) this.#deflated = found.deflated;
    return kind;
  }

  #inflate(payload: Uint8Array): Event {
    const { incoming } = this.#core;
    const result = incoming.inflater!.inflateOn(payload, incoming.inflatedLimit);
    if (result === undefined) return event.deflated;
    this.#deflated = undefined;
    return this.#core.inflated(result);
  }

  #eventOf(kind: Event): ProtocolEvent {
    const { isText } = this.#core.incoming;
    switch (kind) {
      case event.message:
        return { type: "message", kind: isText ? "text" : "binary", data: found.message };
      case event.part:
        return { type: "part", kind: isText ? "text" : "binary", data: found.part, done: found.isLast };
      case event.ping:
        return { type: "ping", payload: found.control };
      case event.pong:
        return { type: "pong", payload: found.control };
      case event.close:
        this.#stopReceiving();
        return { type: "close", code: this.#core.closeCode, reason: this.#core.closeReason };
      case event.failed:
        this.#stopReceiving();
        return { type: "failed", error: this.#core.failure!, value: found.value };
      default:
        return inflating;
    }
  }

  // ---- sending ----

  /**
   * Queues a message as one frame: a string as text and bytes as binary, unless `kind` says otherwise. If compression was
   * negotiated, it compresses the message now, whatever its length.
   *
   * Up to 16 KiB are copied. More are borrowed, so must not change, until the list of {@link bytesToSend} that has them was
   * written.
   */
  send(data: string | BufferSource | PreparedMessage, options: ProtocolSendOptions = {}): void {
    checkSendOptions(sendOptions, options);
    const fin = checkBoolean("fin", options.fin, true);
    const message = data instanceof PreparedMessage ? data : payloadOf(data, "A message");
    this.#checkCanSend();
    const isPrepared = message instanceof PreparedMessage;
    const byDefault = typeof message === "string" ? "text" : "binary";
    const kind = isPrepared ? message.kind : (options.kind ?? byDefault);
    const code = kind === "text" ? opcode.text : opcode.binary;
    const compress = options.compress !== false && (!isPrepared || message.compress);
    if (!fin || this.#unfinished !== undefined) this.#sendSome(code, bytesIn(message), compress, fin);
    else if (this.#core.outgoing.send(code, message, compress) === undefined) {
      this.#sendLong(code, bytesIn(message), compress);
    }
  }

  /** Sends a message that a connection would compress on another thread, or frame for each client. */
  #sendLong(code: DataOpcode, bytes: Uint8Array, compress: boolean): void {
    const { outgoing } = this.#core;
    const { deflater, threshold } = outgoing;
    if (compress && deflater !== undefined && bytes.length >= threshold) {
      const payload = deflater.deflate(bytes);
      if (outgoing.isWorthIt(payload.length, bytes.length)) {
        outgoing.deflatedBytes(finalBit | deflatedBit | code, payload);
        return;
      }
    }
    outgoing.bytes(finalBit | code, bytes);
  }

  /** Sends one frame of a message of several. */
  #sendSome(code: DataOpcode, bytes: Uint8Array, compress: boolean, fin: boolean): void {
    const { outgoing } = this.#core;
    const begun = this.#unfinished;
    const { deflater } = begun ?? { deflater: compress ? outgoing.deflater : undefined };
    const firstCode = deflater === undefined ? code : deflatedBit | code;
    const first = (fin ? finalBit : 0) | (begun === undefined ? firstCode : opcode.continuation);
    if (deflater === undefined) outgoing.bytes(first, bytes);
    else outgoing.deflatedBytes(first, deflater.deflateSome(bytes, fin));
    this.#unfinished = fin ? undefined : { deflater };
  }

  /** Queues a ping with up to 125 bytes (RFC 6455 section 5.5.2). */
  ping(payload: string | BufferSource = ""): void {
    const bytes = checkControl(payload);
    this.#checkCanSend();
    this.#core.control(opcode.ping, bytes);
  }

  /** Queues a pong with up to 125 bytes (RFC 6455 section 5.5.3); pings are answered without it. */
  pong(payload: string | BufferSource = ""): void {
    const bytes = checkControl(payload);
    this.#checkCanSend();
    this.#core.control(opcode.pong, bytes);
  }

  /**
   * Queues our close frame (RFC 6455 section 7.1.2). Data received later is dropped, unless `autoClose` is false; the last
   * event is the peer's close frame. Does nothing while {@link canSend} is false.
   */
  close(options: Pick<CloseOptions, "code" | "reason"> = {}): void {
    const { code, reason } = checkClose(options, closeOptions);
    if (!this.canSend) return;
    this.#core.close(code, reason);
    if (this.#core.dropsData) this.#deflated = undefined;
    if (!this.canReceive) this.#release();
  }

  /**
   * Queues one frame as given, such as one with a payload compressed elsewhere, or an invalid one to test a peer. It is
   * not checked, and changes nothing here: after a close frame sent this way, {@link state} is as before. The payload
   * is borrowed as in {@link send}.
   */
  sendFrame(frame: FrameInit, payload: string | BufferSource = ""): void {
    checkOptions(frameOptions, frame);
    const code = checkNumber("opcode", frame.opcode, NaN, { most: 15, isWhole: true });
    if (Number.isNaN(code)) throw invalidArgument("sendFrame needs an opcode from 0 to 15");
    const fin = checkBoolean("fin", frame.fin, true);
    const rsv1 = checkBoolean("rsv1", frame.rsv1, false);
    const mask = checkBoolean("mask", frame.mask, this.role === "client");
    const bytes = bytesIn(payloadOf(payload, "The payload of a frame"));
    this.#checkCanSend();
    const { outgoing } = this.#core;
    const first = (fin ? finalBit : 0) | (rsv1 ? deflatedBit : 0) | code;
    outgoing.withMask(mask, () => outgoing.bytes(first, bytes));
  }

  /**
   * Queues bytes that were framed elsewhere, and masked if the role demands it: any number of frames, or a piece of
   * one. They are not checked. They are borrowed as in {@link send}, whatever their size.
   */
  sendFramed(bytes: BufferSource): void {
    const framed = bytesOf(bytes);
    if (framed === undefined) throw invalidArgument(`sendFramed takes bytes, not ${show(bytes)}`);
    this.#checkCanSend();
    const { outgoing } = this.#core;
    if (framed.length > 0) outgoing.withMask(false, () => outgoing.frame(framed));
  }

  /**
   * All bytes queued since the last call, to be written in order; an empty list if there are none. The list is valid
   * until the next call, which assumes that it was written: call it after the write is done. Its buffers may be views
   * of memory that other connections share, so copy them for interfaces that clone or transfer memory, such as
   * `postMessage`.
   *
   * Throws `core.invalid_argument` if a borrowed buffer was detached meanwhile. The protocol has failed then.
   */
  bytesToSend(): readonly Uint8Array[] {
    const { outgoing } = this.#core;
    if (this.#handedOut > 0) outgoing.wrote(this.#handedOut);
    this.#handedOut = 0;
    if (this.canSend) this.#core.sendWithheldPong();
    if (outgoing.bufferedAmount === 0) return nothing;
    try {
      const bytes = outgoing.take()!;
      this.#handedOut = outgoing.bufferedAmount;
      return bytes instanceof Uint8Array ? [bytes] : bytes;
    } catch (misuse) {
      this.#core.failure = misuse as ServalError;
      this.#core.state = "failed";
      this.end();
      throw misuse;
    }
  }

  // ---- the end ----

  /**
   * Ends the protocol, since the transport has ended or is about to. Drops queued bytes, frees the memory of
   * compression, and returns {@link closeInfo}. Always allowed.
   */
  end(): CloseInfo {
    if (this.#ended === undefined) {
      this.#ended = this.closeInfo;
      this.#handedOut = 0;
      this.#core.outgoing.clear();
      this.#release();
    }
    return this.#ended;
  }

  /** Nothing is received any more, nor sent unless the caller has yet to answer. */
  #stopReceiving(): void {
    if (!this.#core.canSend) this.#release();
    else this.#core.incoming.close();
  }

  /** Releases compression: nothing is received or compressed any more. */
  #release(): void {
    this.#deflated = undefined;
    this.#core.incoming.close();
    this.#core.outgoing.deflater?.close();
  }

  #checkCanSend(): void {
    if (this.canSend) return;
    if (this.#ended === undefined && this.state === "closedByUs") {
      throw websocketError("websocket.closed", { message: "The WebSocket connection is closing" });
    }
    const close = this.closeInfo;
    throw websocketError("websocket.closed", { close, message: howClosed(close), cause: this.#core.failure });
  }
}

function payloadOf(data: string | BufferSource, what: string): string | Uint8Array {
  const payload = typeof data === "string" ? data : bytesOf(data);
  if (payload !== undefined) return payload;
  throw notSendable(`${what} must be a string, an ArrayBuffer or a view of one`, data);
}

function bytesIn(data: string | Uint8Array | PreparedMessage): Uint8Array {
  if (typeof data === "string") return encodeUtf8(data);
  return data instanceof PreparedMessage ? data.payload : data;
}
