import {
  coreError,
  transportError,
  type ByteStream,
  type FlatBuffer,
  type Handler,
  type ServalError,
} from "../../core/index.ts";
import {
  cost,
  costOf,
  Deadline,
  turnBudget,
  type AsyncContext,
  type TurnMember,
  type TurnWaiter,
} from "../../core/internal.ts";
import { limitError } from "../messages/errors.ts";
import type { Fields } from "../messages/fields.ts";
import { IncomingBody, type BodySource } from "../operations/incoming-body.ts";
import { ReadOperation, type Sink } from "../operations/read-operation.ts";
import { PartSink } from "../operations/sinks.ts";
import type { RequestParser } from "../codec/request-parser.ts";
import { timeoutError } from "./passed-deadline.ts";
import type { ResponseWriter } from "./response-writer.ts";
import type { ServeSettings } from "./serve-options.ts";

/** What the body of a request needs from its connection. */
export interface BodyOwner extends TurnMember {
  /** The connection's async context. */
  readonly context: AsyncContext;
  readonly stream: ByteStream;
  readonly reader: { readonly buffer: FlatBuffer; readonly parser: RequestParser };
  readonly writer: ResponseWriter;
  readonly settings: ServeSettings;
}

/** Bytes of a body that are little work, however it is framed. */
const light = 1024;

/** Takes the next part of a body; in a turn whose common share is used up, only if it can't be much work. */
class FairSink implements Sink<Uint8Array | undefined> {
  /** Whether the bytes are left for another turn. */
  isPutOff = false;
  /** Whether the connection has used up its share of this turn. */
  isOverdrawn = false;
  readonly #parser: RequestParser;
  readonly #part: PartSink;
  readonly #member: TurnMember;

  constructor(parser: RequestParser, member: TurnMember) {
    this.#parser = parser;
    this.#part = new PartSink(parser, Math.floor(turnBudget.share / cost.chunk));
    this.#member = member;
  }

  get isDone(): boolean {
    return this.isPutOff || this.#part.isDone;
  }

  /** Only a response's body can end with the stream. */
  get needsEof(): boolean {
    return false;
  }

  put(bytes: Uint8Array): number {
    this.isPutOff = turnBudget.isSpent && (bytes.length > light || turnBudget.isGreedy(this.#member));
    if (this.isPutOff) return 0;
    const { chunkCount } = this.#parser;
    const used = this.#part.put(bytes);
    const chunks = this.#parser.chunkCount - chunkCount;
    const copying = costOf(used, cost.copied);
    // Counted now, since other connections may have their turns before this part is passed on.
    this.isOverdrawn = turnBudget.spend(this.#member, cost.message + chunks * cost.chunk + copying, copying);
    return used;
  }

  end(): void {
    this.#part.end();
  }

  result(): Uint8Array | undefined {
    return this.#part.result();
  }
}

/** Reads the body of a server's request within its deadline, and sends 100 (Continue) to a client that waits for it. */
export class RequestBody implements BodySource, TurnWaiter {
  /** The body as the handler sees it. */
  readonly incoming: IncomingBody = new IncomingBody(this);
  readonly #owner: BodyOwner;
  readonly #parser: RequestParser;
  readonly #deadline: Deadline;
  /** Called at the end of a read, with its error, if any. */
  onRead: ((error: ServalError | undefined) => void) | undefined;
  /** Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 10.1.1). */
  isAwaited: boolean;
  /** Why the body can't be read, if a read has found out. */
  error: ServalError | undefined;
  /** Whether a read is in flight; its reader may no longer wait for it. */
  isReading = false;
  /** The connection has used up its share of this turn: the next part waits for another. */
  #isOverdrawn = false;
  #left: number;
  #since = 0;
  #handler: Handler<Uint8Array | undefined> | undefined;

  constructor(owner: BodyOwner, isAwaited: boolean) {
    const { timeouts, time } = owner.settings;
    this.#owner = owner;
    this.#parser = owner.reader.parser;
    this.isAwaited = isAwaited;
    this.#left = timeouts.body;
    this.#deadline = new Deadline(time, () => {
      this.#tell(timeoutError("body"), undefined);
    });
  }

  get contentLength(): number | undefined {
    return this.#parser.contentLength;
  }

  get isDone(): boolean {
    return this.#parser.isDone;
  }

  get trailers(): Fields {
    return this.#parser.trailers;
  }

  /** Why the body can't be read. A body that is announced as too large is not even asked for. */
  get failure(): ServalError | undefined {
    if (this.hasMoreThan(this.#parser.maxBodySize)) this.error ??= limitError("maxBodySize", this.#parser.maxBodySize);
    return this.error;
  }

  readPart(handler: Handler<Uint8Array | undefined>): void {
    this.#handler = handler;
    // Even after the connection has ended, received parts belong to the reader.
    if (this.isDone || this.failure !== undefined) this.#tellSoon(this.failure);
    else if (this.#isOverdrawn) turnBudget.wait(this);
    else this.goAhead(this.#read);
  }

  takeTurn(): void {
    this.#isOverdrawn = false;
    // The connection may have ended meanwhile, and the reader been told.
    if (this.#handler !== undefined && this.error === undefined) this.goAhead(this.#read);
  }

  /** Sends 100 (Continue) if the client waits for it, then calls back. */
  goAhead(then: () => void): void {
    const { isAwaited } = this;
    this.isAwaited = false;
    // After the head of the response, a 100 has no meaning.
    const { writer } = this.#owner;
    if (!isAwaited || writer.isSending) {
      then();
      return;
    }
    // After a write that may be in flight.
    writer.flush(() => {
      writer.addContinue();
      writer.flush(then);
    });
  }

  /** Whether more than this many bytes are still to come; false if that is unknown. */
  hasMoreThan(size: number): boolean {
    return (this.#parser.contentLengthRemaining ?? 0) > size;
  }

  /** Reads and drops the rest, if it is at most this many bytes; then calls back, with the failure if there was one. */
  drain(most: number, then: (error: ServalError | undefined) => void): void {
    if (this.isDone || most < 0 || this.hasMoreThan(most)) {
      then(undefined);
      return;
    }
    this.readPart((error, part) => {
      if (error === undefined) this.drain(most - (part?.length ?? 0), then);
      else then(error);
    });
  }

  /** The connection has ended, or continues: stops all waiting. */
  close(): void {
    this.#deadline.cancel();
    if (this.isDone) return;
    this.error ??= coreError("core.aborted", { message: "The connection of the request has ended" });
    // A read in flight gets its outcome from the stream.
    if (!this.isReading && this.#handler !== undefined) this.#tellSoon(this.error);
  }

  /** Like {@link close}. Returns whether a read is in flight; `readOn` is called at its end. */
  bequeath(readOn: () => void): boolean {
    this.close();
    this.onRead = readOn;
    return this.isReading;
  }

  readonly #read = (): void => {
    const { context, stream, reader, settings } = this.#owner;
    this.#since = settings.time.now();
    this.#deadline.set(this.#left);
    this.isReading = true;
    const sink = new FairSink(this.#parser, this.#owner);
    try {
      new ReadOperation(stream, reader.buffer, sink, (error: ServalError | undefined, part: Uint8Array | undefined) =>
        context.runInAsyncScope(this.#onPart, this, sink, error, part),
      ).start(undefined);
    } catch (misuse) {
      // The stream is read elsewhere.
      this.isReading = false;
      this.#tellSoon(transportError(misuse));
    }
  };

  #onPart({ isPutOff, isOverdrawn }: FairSink, error: ServalError | undefined, part: Uint8Array | undefined): void {
    this.isReading = false;
    // Only the time of waiting counts: a slow handler is not the client's fault.
    this.#left -= this.#owner.settings.time.now() - this.#since;
    if (isPutOff && this.error === undefined) {
      this.#deadline.clear();
      turnBudget.wait(this);
      return;
    }
    this.#isOverdrawn = isOverdrawn;
    this.#tell(error, part);
    this.onRead?.(error);
  }

  #tell(error: ServalError | undefined, part: Uint8Array | undefined): void {
    this.#deadline.clear();
    this.error ??= error;
    const handler = this.#handler;
    this.#handler = undefined;
    // The first error, so that a handler that fails with it is recognised.
    handler?.(error && this.error, part);
  }

  #tellSoon(error: ServalError | undefined): void {
    queueMicrotask(() => this.#tell(error, undefined));
  }
}
