import { byteLength, coreError, FlatBuffer, type ByteStream } from "../core/index.ts";
import { checkBoolean, checkNumber, checkOptions, optionSet, TransportStream } from "../core/internal.ts";
import { testingError } from "./errors.ts";
import { Inbox } from "./inbox.ts";

/**
 * Options of one side of a {@link pair}. All sizes are whole numbers of bytes; Infinity means none. Any other value is
 * `core.invalid_argument`.
 */
export interface PairOptions {
  /** The most that one read delivers, at least 1: forces short reads. Default Infinity. */
  maxRead?: number;
  /** The most that one write takes, at least 1: forces short writes. Default Infinity. */
  maxWrite?: number;
  /** How many bytes may wait unread at this side, at least 1, before the peer's writes wait for room. Default 65,536. */
  capacity?: number;
  /**
   * How many operations of this side succeed: reads, writes, shutdowns and watches count, when they start. The next one
   * fails with `testing.failure` without any effect, and so do all in flight and all later ones; 0 fails the first. The
   * peer sees nothing of it until this side is closed. Default Infinity.
   */
  failAfter?: number;
  /** After this many bytes this side's reader sees the end of the stream, whatever the peer sends. Default Infinity. */
  endAfter?: number;
  /** After this many bytes this side's reader, and then both sides, see `core.connection_reset`. Default Infinity. */
  resetAfter?: number;
  /** Whether `sent` and `received` are kept. Default false. */
  record?: boolean;
}

/**
 * One side of an in-memory connection.
 *
 * Written bytes are copied at once. A read's bytes are overwritten with 0xdb when its handler returns, to expose late
 * use of borrowed bytes. Handlers run from a microtask. After `close` the peer reads what was sent, then the end of the
 * stream, and its writes fail with `core.connection_reset`. After `reset` all operations of the peer, in flight and
 * later, fail with `core.connection_reset`.
 */
export class PairStream extends TransportStream implements ByteStream {
  readonly #options: Required<PairOptions>;
  readonly #inbox: Inbox = new Inbox();
  readonly #sent: FlatBuffer | undefined;
  readonly #received: FlatBuffer | undefined;
  #peer!: PairStream;
  #operations = 0;
  #delivered = 0;
  #hasEnded = false;
  /** The part of the write in flight that has found no room yet. */
  #waiting: Uint8Array | readonly Uint8Array[] | undefined;
  /** How many bytes of it found room; its handler has not been called yet. */
  #taken = 0;
  #delivering = false;
  /** Whether a handler has bytes of the inbox. */
  #lends = false;

  /** @internal */
  constructor(options: Required<PairOptions>) {
    super();
    this.#options = options;
    this.#sent = this.#options.record ? new FlatBuffer() : undefined;
    this.#received = this.#options.record ? new FlatBuffer() : undefined;
  }

  /** @internal */
  static connected(options: PairOptions, peerOptions: PairOptions): [PairStream, PairStream] {
    const settings = settingsOf(options);
    const stream = new PairStream(settings);
    const peer = new PairStream(peerOptions === options ? settings : settingsOf(peerOptions));
    stream.#peer = peer;
    peer.#peer = stream;
    return [stream, peer];
  }

  /** How many reads, writes, shutdowns and watches were started. */
  get operations(): number {
    return this.#operations;
  }

  /** Whether a read is in flight, or a watch that may take more bytes; otherwise a transport would be paused. */
  get reading(): boolean {
    return this.wanting;
  }

  /** Whether this side was closed, by `close` or `reset`. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Whether this side has ended its write side: by `shutdown`, {@link end} or `close`. */
  get ended(): boolean {
    return this.#hasEnded;
  }

  /** How many bytes wait here to be read. */
  get unread(): number {
    return this.#inbox.size;
  }

  /** All bytes that this side's writes have taken. Throws `core.invalid_argument` without the option `record`. */
  get sent(): Uint8Array {
    return recorded(this.#sent);
  }

  /** All bytes that this side's reads have delivered. Throws `core.invalid_argument` without the option `record`. */
  get received(): Uint8Array {
    return recorded(this.#received);
  }

  /** Ends the write side alone: the peer reads what was sent, then the end of the stream. Idempotent. */
  end(): void {
    this.#hasEnded = true;
    this.#peer.#deliverSoon();
  }

  protected override starting(): void {
    this.#operations++;
    if (this.#operations > this.#options.failAfter) this.failed(testingError("testing.failure"));
  }

  protected override pull(): void {
    // During a delivery the rest is known only afterwards; later bytes are delivered when they arrive.
    if (!this.#lends && (this.#inbox.size > 0 || this.#isOver)) this.#deliverSoon();
  }

  protected override idle(): void {
    // Bytes are delivered only to a read, so there is nothing to stop.
  }

  protected override push(buffers: Uint8Array | readonly Uint8Array[]): void {
    if (this.#peer.isClosed) {
      this.failed(coreError("core.connection_reset"));
      return;
    }
    this.#waiting = buffers;
    this.#takeWaiting();
  }

  protected override finish(): void {
    this.end();
    this.writeEnded();
  }

  protected override destroy(reset: boolean): void {
    this.#inbox.clear();
    this.#waiting = undefined;
    this.end();
    if (reset || this.#peer.#waiting !== undefined) this.#peer.failed(coreError("core.connection_reset"));
  }

  /** Moves as much as there is room for to the peer. */
  #takeWaiting(): void {
    const buffers = this.#waiting;
    if (buffers === undefined) return;
    const peer = this.#peer;
    if (peer.#hearsNoMore) peer.#inbox.clear();
    const room = Math.min(peer.#options.capacity - peer.#inbox.size, this.#options.maxWrite);
    if (room <= 0) return;
    const length = Math.min(byteLength(buffers), room);
    this.#waiting = undefined;
    const place = peer.#inbox.put(buffers, length);
    this.#sent?.append(place);
    this.#taken = length;
    queueMicrotask(this.#reportTaken);
    if (peer.wanting) peer.#deliverSoon();
  }

  readonly #reportTaken = (): void => {
    this.wrote(this.#taken);
  };

  #deliverSoon(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    queueMicrotask(this.#deliverNow);
  }

  readonly #deliverNow = (): void => {
    this.#delivering = false;
    if (!this.wanting || this.isClosed) return;
    const { endAfter, resetAfter, maxRead } = this.#options;
    const size = Math.min(this.#inbox.size, maxRead, endAfter - this.#delivered, resetAfter - this.#delivered);
    if (size > 0) this.#deliverFirst(size);
    else if (this.#delivered >= resetAfter) this.#breakDown();
    else if (this.#hearsNoMore || this.#peer.#hasEnded) this.readEnded();
  };

  #breakDown(): void {
    this.failed(coreError("core.connection_reset"));
    this.#peer.failed(coreError("core.connection_reset"));
  }

  /** Whether there is an end or a reset to report, and no more bytes. */
  get #isOver(): boolean {
    return this.#peer.#hasEnded || this.#hearsNoMore || this.#delivered >= this.#options.resetAfter;
  }

  /** Whether the option `endAfter` has ended this side's reading; later bytes of the peer are lost. */
  get #hearsNoMore(): boolean {
    return this.#delivered >= this.#options.endAfter;
  }

  #deliverFirst(size: number): void {
    const bytes = this.#inbox.first(size);
    this.#delivered += size;
    this.#received?.append(bytes);
    this.#lends = true;
    try {
      this.deliver(bytes);
    } finally {
      this.#lends = false;
      // Dropped now, so that bytes written meanwhile were not put in their place.
      this.#inbox.drop(bytes);
      this.#peer.#takeWaiting();
      if (this.wanting) this.pull();
    }
  }
}

const defaults: Required<PairOptions> = {
  maxRead: Infinity,
  maxWrite: Infinity,
  capacity: 64 * 1024,
  failAfter: Infinity,
  endAfter: Infinity,
  resetAfter: Infinity,
  record: false,
};

const usual: PairOptions = {};

const names = optionSet("pair", Object.keys(defaults), "{ maxRead: 1 }");

/** The options, checked and completed. */
function settingsOf(options: PairOptions): Required<PairOptions> {
  // All sides without options share one object: a new one costs as much as the rest of a pair.
  if (options === usual) return defaults;
  checkOptions(names, options);
  const numberOf = (name: Exclude<keyof PairOptions, "record">, least: number): number =>
    checkNumber(name, options[name], defaults[name], { least, isWhole: true });
  return {
    maxRead: numberOf("maxRead", 1),
    maxWrite: numberOf("maxWrite", 1),
    capacity: numberOf("capacity", 1),
    failAfter: numberOf("failAfter", 0),
    endAfter: numberOf("endAfter", 0),
    resetAfter: numberOf("resetAfter", 0),
    record: checkBoolean("record", options.record, defaults.record),
  };
}

function recorded(bytes: FlatBuffer | undefined): Uint8Array {
  if (bytes !== undefined) return bytes.data();
  throw coreError("core.invalid_argument", { message: "Bytes are recorded with pair({ record: true }) only" });
}

/**
 * Two connected {@link PairStream}s: each reads what the other writes. One object sets the options of both sides; two
 * objects set those of the first and of the second. An unknown option, or a value that it can't have, is
 * `core.invalid_argument`.
 */
export function pair(options: PairOptions = usual, peerOptions: PairOptions = options): [PairStream, PairStream] {
  return PairStream.connected(options, peerOptions);
}
