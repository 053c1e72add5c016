import { byteLength, coreError, FlatBuffer, type ByteStream } from "../core/index.ts";
import { TransportStream } from "../core/internal.ts";
import { testingError } from "./errors.ts";
import { Inbox } from "./inbox.ts";

/** Options of one side of a {@link pair}. All sizes are in bytes; Infinity means none. */
export interface PairOptions {
  /** The most that one read delivers: forces short reads. Default Infinity. */
  maxRead?: number;
  /** The most that one write takes: forces short writes. Default Infinity. */
  maxWrite?: number;
  /** How many bytes may wait unread at this side before the peer's writes wait for room. Default 65,536. */
  capacity?: number;
  /**
   * How many operations of this side go well: reads, writes, shutdowns and watches are counted, from their start. The next one
   * fails with `testing.failure` and does nothing else, and so do all in flight and all later ones; 0 fails the first.
   * The peer sees none of that until this side is closed. Default Infinity.
   */
  failAfter?: number;
  /** After that many bytes this side's reader sees the end of the stream, whatever the peer sends. Default Infinity. */
  endAfter?: number;
  /** After that many bytes this side's reader, and then both sides, see `core.connection_reset`. Default Infinity. */
  resetAfter?: number;
  /** Whether `sent` and `received` are kept. Default false. */
  record?: boolean;
}

/**
 * One side of a connection in memory.
 *
 * What is written is copied at once; what a read handler got is overwritten with 0xdb as soon as it returns, so that a
 * look at borrowed bytes that comes too late shows. Handlers run from a microtask. After `close` the peer reads what it
 * was sent, then the end of the stream, and its writes fail with `core.connection_reset`; after `reset` all that it has in
 * flight and starts later fails with `core.connection_reset`.
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
  /** What the write in flight has not yet found room for. */
  #waiting: Uint8Array | readonly Uint8Array[] | undefined;
  /** What it has found room for: its handler has yet to hear of it. */
  #taken = 0;
  #delivering = false;
  /** A handler has bytes of the inbox. */
  #lends = false;

  /** @internal */
  constructor(options: PairOptions) {
    super();
    // The same object for all the usual ones: spreading costs as much as the rest of a pair.
    this.#options = options === usual ? defaults : { ...defaults, ...options };
    this.#sent = this.#options.record ? new FlatBuffer() : undefined;
    this.#received = this.#options.record ? new FlatBuffer() : undefined;
  }

  /** @internal */
  static connected(options: PairOptions, peerOptions: PairOptions): [PairStream, PairStream] {
    const stream = new PairStream(options);
    const peer = new PairStream(peerOptions);
    stream.#peer = peer;
    peer.#peer = stream;
    return [stream, peer];
  }

  /** How many reads, writes, shutdowns and watches were started. */
  get operations(): number {
    return this.#operations;
  }

  /** Whether a read is in flight, or a watch that may hold more: where not, a transport would be paused. */
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
    // Inside a delivery, what is left is known only afterwards; what comes later is delivered when it comes.
    if (!this.#lends && (this.#inbox.size > 0 || this.#isOver)) this.#deliverSoon();
  }

  protected override idle(): void {
    // Bytes are only delivered to a read.
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

  /** Moves what there is room for to the peer. */
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

  /** Whether there is an end or a reset to be told of, and no more bytes. */
  get #isOver(): boolean {
    return this.#peer.#hasEnded || this.#hearsNoMore || this.#delivered >= this.#options.resetAfter;
  }

  /** Whether the option `endAfter` has ended this side's reading: what the peer sends is lost. */
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
      // Only now, so that what is written meanwhile has not been put in their place.
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

function recorded(bytes: FlatBuffer | undefined): Uint8Array {
  if (bytes !== undefined) return bytes.data();
  throw coreError("core.invalid_argument", { message: "Bytes are recorded with pair({ record: true }) only" });
}

/**
 * Two {@link PairStream}s, connected to each other: what one writes the other reads. One object sets the options of
 * both sides; two set those of the first and of the second.
 */
export function pair(options: PairOptions = usual, peerOptions: PairOptions = options): [PairStream, PairStream] {
  return PairStream.connected(options, peerOptions);
}
