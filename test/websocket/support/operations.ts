// Everything that can be done with an open stream, and a connection to do it on in a run of `everyFailure`.
import assert from "node:assert/strict";
import type { ByteStream, Handler, Role, ServalError } from "../../../src/core/index.ts";
import { giveBackChunk, takeChunk } from "../../../src/core/internal.ts";
import type { Failure, Run } from "../../../src/testing/index.ts";
import { prepare, Stream } from "../../../src/websocket/index.ts";
import { quiet } from "../../support/quiet.ts";
import { extensions, responseTo } from "./client-kit.ts";
import { packed } from "./deflated.ts";
import { binary, close, concat, more as continuation, ping, text, utf8, type FrameForm } from "./frames.ts";
import { WebSocketPeer } from "./kit.ts";
import { requestBytes } from "./requests.ts";

type Done = Handler<unknown>;

/** Something to do with a stream. */
export interface Operation {
  /** Does it, and calls `done` when it is done. */
  start(ws: Stream, signal: AbortSignal, done: Done): void;
  /** The same with a promise in the handler's place. */
  promise(ws: Stream, signal: AbortSignal): Promise<unknown>;
  /** What those fail with that come after it, or beside it. */
  readonly causes?: string;
}

type Method = "read" | "readSome" | "nextMessage" | "write" | "writeSome" | "ping" | "pong" | "close";

/** A method that takes these arguments, options with a signal, and a handler. */
function method(
  name: Method,
  given: () => unknown[] = () => [],
  more: { options?: object; causes?: string } = {},
): Operation {
  const call = (ws: Stream, signal: AbortSignal, ...done: Done[]): unknown =>
    Reflect.apply(ws[name], ws, [...given(), { ...more.options, signal }, ...done]);
  return {
    start: call,
    promise: call as Operation["promise"],
    ...(more.causes !== undefined && { causes: more.causes }),
  };
}

/** Something that returns a promise. */
function task(promise: Operation["promise"], causes?: string): Operation {
  return {
    ...(causes !== undefined && { causes }),
    promise,
    start: (ws, signal, done) =>
      void promise(ws, signal).then(
        () => done(undefined, undefined),
        (error: ServalError) => done(error, undefined),
      ),
  };
}

/** Something that has no outcome. */
function call(act: (ws: Stream) => unknown, causes?: string): Operation {
  return task(async (ws) => act(ws), causes);
}

async function* parts(): AsyncGenerator<string> {
  yield "part ".repeat(50);
  await Promise.resolve();
  yield "the last part";
}

/** The operations that receive: of two one has to wait. */
export const receiving: Readonly<Record<string, Operation>> = {
  read: method("read"),
  readSome: method("readSome", undefined, { causes: "websocket.message_in_progress" }),
  nextMessage: method("nextMessage"),
  "nextMessage and bytes": task(async (ws, signal) => {
    const message = await ws.nextMessage({ signal });
    await message.bytes({ signal });
  }),
  "for await": task(async (ws) => {
    for await (const message of ws) assert.ok(message.length > 0);
  }, "websocket.closed"),
};

/** All operations of an open stream. */
export const operations: Readonly<Record<string, Operation>> = {
  ...receiving,
  "write of text": method("write", () => ["text"]),
  "write of frames": method("write", () => [new Uint8Array(500)]),
  "write of a list": method("write", () => [[new Uint8Array(20), new Uint8Array(300)]]),
  "write of a prepared message": method("write", () => [prepare("prepared")]),
  "write of an iterable": method("write", () => [parts()]),
  "write of a Blob": method("write", () => [new Blob(["blob ".repeat(60)])]),
  // What comes after it waits for the end of its message.
  writeSome: method("writeSome", () => ["some", false], { causes: "websocket.closed" }),
  "writeSome, the last": method("writeSome", () => ["more", true]),
  send: call((ws) => ws.send("sent ".repeat(60))),
  ping: method("ping", () => ["ping"]),
  pong: method("pong", () => ["pong"]),
  close: method("close", undefined, { options: { code: 4000 }, causes: "websocket.closed" }),
  terminate: call((ws) => ws.terminate(), "core.aborted"),
};

/** The handlers of a stream. */
export type Told = "open" | "message" | "drain" | "control" | "close" | "error";

/** The codes that a failure may lead to. */
const caused: Partial<Record<Failure, readonly string[]>> = {
  error: ["testing.failure"],
  end: ["websocket.closed"],
  reset: ["core.connection_reset"],
  abort: ["core.aborted"],
  // The deadline of a handshake, or of the close that ends every run.
  stall: ["core.timeout", "core.aborted", "websocket.closed"],
};

/** How many chunks of the block that connections share are in use. */
function chunksInUse(): number {
  const block = takeChunk(1);
  const { chunks } = block;
  giveBackChunk(block);
  return chunks - 1;
}

const halves = (bytes: Uint8Array): [Uint8Array, Uint8Array] => [
  bytes.subarray(0, bytes.length >> 1),
  bytes.subarray(bytes.length >> 1),
];

/** Makes the two ends of a connection in a run: the one whose operations fail, which has this role, and its peer's. */
export type Connect = (run: Run, role: Role) => Promise<readonly [ByteStream, ByteStream]>;

/** A pair in memory. */
export const inMemory: Connect = (run) => Promise.resolve(run.pair({ capacity: Infinity }));

/** How a connection is used in a run. */
export interface Use {
  role?: Role;
  deflates?: boolean;
  /** Whether the stream has a message handler. */
  isPushed?: boolean;
  /** Called inside the stream's handlers. */
  at?: (told: Told) => void;
}

/** A stream in a run, and what becomes of it: nothing may be called twice, or inside a call of the application's. */
export class Using {
  readonly ws: Stream;
  readonly #run: Run;
  readonly #role: Role;
  readonly #extensions: string | undefined;
  readonly #peer: WebSocketPeer<ByteStream>;
  readonly #told: Told[] = [];
  readonly #wrong: string[] = [];
  readonly #codes: string[] = [];
  readonly #outcomes: Promise<unknown>[] = [];
  readonly #chunks = chunksInUse();
  #isCalling = false;
  #wasOpen = false;

  /** A stream over a new connection. */
  static async over(connect: Connect, run: Run, use: Use = {}): Promise<Using> {
    return new Using(run, await connect(run, use.role ?? "server"), use);
  }

  private constructor(
    run: Run,
    [stream, other]: Awaited<ReturnType<Connect>>,
    { role = "server", deflates = false, isPushed = false, at }: Use,
  ) {
    this.#run = run;
    this.#role = role;
    // A client asks for messages that are compressed each by itself; a server remembers those before.
    this.#extensions = !deflates ? undefined : role === "client" ? extensions : "permessage-deflate";
    this.#peer = new WebSocketPeer(other);
    const tell = (one: Told) => (): void => {
      // Not thrown: that would be a handler's error, which is the stream's to deal with.
      if (this.#isCalling) this.#wrong.push(`${one} is called inside a call`);
      if (this.#told.at(-1) === "close") this.#wrong.push(`${one} is called after close`);
      this.#told.push(one);
      at?.(one);
    };
    this.ws = new Stream(stream, {
      clock: run.clock,
      writeBufferSize: 200,
      highWaterMark: 200,
      deflate: deflates && { threshold: 0 },
      open: tell("open"),
      drain: tell("drain"),
      control: tell("control"),
      close: tell("close"),
      error: tell("error"),
      message: isPushed ? tell("message") : undefined,
    });
    void run.track(this.ws.closed);
  }

  /** Opens the stream; `inside` runs in the completion handler, also where that failed. */
  open(inside?: () => void): void {
    const { ws } = this;
    const { signal } = this.#run;
    const offer = { "Sec-WebSocket-Extensions": this.#extensions };
    const opened = (error: ServalError | undefined): void => {
      this.#wasOpen = error === undefined;
      inside?.();
    };
    this.#start((done) => {
      if (this.#role === "server") ws.accept(requestBytes(offer), { signal }, done);
      else ws.handshake("example.com", "/chat", { signal }, done);
    }, opened);
  }

  /** Is open without a handshake. */
  attach(): void {
    this.#wasOpen = true;
    this.#call(() => this.ws.attach({ role: this.#role, extensions: this.#extensions }));
  }

  /** Starts an operation; `inside` runs in its handler. */
  start(operation: Operation, inside?: () => void): void {
    this.#start((done) => operation.start(this.ws, this.#run.signal, done), inside);
  }

  /** The same with a promise, which nobody need await. */
  startPromise(operation: Operation): void {
    const promise = this.#call(() => operation.promise(this.ws, this.#run.signal));
    this.#outcomes.push(this.#run.track(promise).then(undefined, (error: ServalError) => this.#codes.push(error.code)));
  }

  /**
   * Lets the peer say all that it has to say, and then goodbye; everything has to end with that, and all errors to be what
   * the failure leads to, or one of these.
   */
  async finish(...codes: (string | undefined)[]): Promise<void> {
    try {
      await this.#finish(codes);
    } finally {
      this.#peer.stream.close();
    }
  }

  async #finish(codes: readonly (string | undefined)[]): Promise<void> {
    await this.#converse();
    // While nobody reads, the data before the goodbye hold that up.
    this.start(operations.close!);
    for (let count = 0; count < this.#outcomes.length; count++) await this.#outcomes[count];
    await this.ws.closed;
    assert.deepEqual(this.#wrong, []);
    assert.deepEqual([this.ws.isOpen, this.ws.bufferedAmount], [false, 0]);
    const count = (one: Told): number => this.#told.filter((each) => each === one).length;
    // Terminated with the handshake's completion it has no time to be open; without one, it was never.
    const most = this.#wasOpen ? 1 : 0;
    assert.equal(count("close"), most, this.#told.join());
    assert.ok(count("open") <= most && count("error") <= 1, this.#told.join());
    const { met, failure } = this.#run;
    const known = [...codes, ...(met === undefined ? [] : (caused[failure!] ?? []))];
    if (!this.#wasOpen) known.push("websocket.not_open");
    for (const code of this.#codes) assert.ok(known.includes(code), `${code}, not ${known.join()}`);
    // Those of a write that was in flight at the end are left to the collector.
    const hasWritten = (failure === undefined || failure === "short") && !known.includes("core.aborted");
    if (hasWritten) assert.ok(chunksInUse() <= this.#chunks, "a chunk of a shared block is left");
  }

  async #converse(): Promise<void> {
    const form: FrameForm = this.#role === "server" ? {} : { key: undefined };
    const peer = this.#peer;
    if (this.#role === "client") {
      const hasRequest = (): boolean => Buffer.from(peer.received).includes("\r\n\r\n");
      const isOver = (): boolean => hasRequest() || peer.ended || peer.error !== undefined;
      // Where something has failed, the request may never come.
      for (let turns = 0; !isOver() && (this.#mustHold || turns < 3); turns++) await quiet();
      if (hasRequest()) void peer.write(responseTo(peer.received, this.#extensions));
    }
    const [one, more] =
      this.#extensions === undefined ? [utf8("on"), utf8("e")] : halves(packed(utf8("one ".repeat(20))));
    const rsv = this.#extensions === undefined ? 0 : 4;
    const first = concat(text(one, { ...form, fin: false, rsv }), ping("1", form));
    void peer.write(first, continuation(more, form), text("two", form), binary("three", form));
    await quiet(2);
    void peer.write(close(1000, "", form));
    await quiet();
    if (peer.error === undefined) peer.stream.shutdown(() => {});
    await quiet();
  }

  /** Whether nothing has failed so far that a handshake does not survive. */
  get #mustHold(): boolean {
    const { met, failure } = this.#run;
    return met === undefined || failure === "delay" || failure === "short";
  }

  #start(start: (done: Done) => void, inside?: (error: ServalError | undefined) => void): void {
    const outcome = this.#run.once<Parameters<Done>>((done) =>
      this.#call(() =>
        start((error, result) => {
          done(error, result);
          if (error !== undefined) this.#codes.push(error.code);
          inside?.(error);
        }),
      ),
    );
    this.#outcomes.push(outcome.catch((misuse: ServalError) => this.#codes.push(misuse.code)));
  }

  #call<Result>(act: () => Result): Result {
    const wasCalling = this.#isCalling;
    this.#isCalling = true;
    try {
      return act();
    } finally {
      this.#isCalling = wasCalling;
    }
  }
}
