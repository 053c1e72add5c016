// A served connection over a pair in memory, and the client at its other end: it speaks in bytes, so that nothing tested
// checks itself.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { ServalError } from "../../../src/core/index.ts";
import { encodeLatin1 } from "../../../src/core/text.ts";
import { serve, type RequestHandler, type ServeOptions } from "../../../src/http/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream, type Run } from "../../../src/testing/index.ts";
import { deferred, quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";

/** A message as it came over the wire. */
export interface SeenMessage {
  /** The start line. */
  line: string;
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/** The messages in a text, and what is left behind the last whole one. Those at the places `bodiless` are heads alone. */
export function messagesIn(text: string, bodiless: readonly number[] = []): { all: SeenMessage[]; rest: string } {
  const all: SeenMessage[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return { all, rest };
    const [line, ...lines] = rest.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((field) => [
        field.slice(0, field.indexOf(":")).toLowerCase(),
        field.slice(field.indexOf(":") + 1).trim(),
      ]),
    );
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line!)?.[1] ?? 0);
    const message = { line: line!, status, headers, body: "" };
    let behind = rest.slice(end + 4);
    const hasNone = bodiless.includes(all.length) || (status > 0 && status < 200) || status === 204 || status === 304;
    if (!hasNone && headers["transfer-encoding"] === "chunked") {
      const whole = unchunk(behind);
      if (whole === undefined) return { all, rest };
      [message.body, behind] = whole;
    } else if (!hasNone) {
      const size = Number(headers["content-length"] ?? 0);
      if (behind.length < size) return { all, rest };
      message.body = behind.slice(0, size);
      behind = behind.slice(size);
    }
    all.push(message);
    rest = behind;
  }
}

function unchunk(text: string): [body: string, behind: string] | undefined {
  let body = "";
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n");
    if (end < 0) return undefined;
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (size === 0) {
      const last = rest.slice(end).indexOf("\r\n\r\n");
      return last < 0 ? undefined : [body, rest.slice(end + last + 4)];
    }
    if (rest.length < end + 4 + size) return undefined;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}

/** How {@link Serving} is set up. */
export interface ServingInit extends ServeOptions {
  /** The server's side of the pair, and the client's. */
  pair?: PairOptions;
  peerPair?: PairOptions;
  /** Whether the client reads nothing at first. */
  paused?: boolean;
  /** The run of `everyFailure` that it belongs to. */
  run?: Run;
}

/** A connection that is served, and what became of it. */
export class Serving {
  readonly clock: VirtualClock;
  readonly stream: PairStream;
  readonly client: RawPeer;
  /** Fulfils when it has completed. */
  readonly ended: Promise<void>;
  /** How often it has completed, with what, and whether that was inside the call. */
  completions = 0;
  error: ServalError | undefined;
  inside = false;
  /** What `error` was told. */
  readonly errors: unknown[] = [];
  readonly #signals: (AbortSignal | undefined)[];

  constructor(
    handler: RequestHandler,
    { pair: own = {}, peerPair = {}, paused = false, run, ...options }: ServingInit = {},
  ) {
    const [stream, peer] = pair(own, peerPair);
    this.stream = stream;
    this.clock = run?.clock ?? new VirtualClock();
    this.client = new RawPeer(peer, paused);
    this.#signals = [options.signal, options.stop];
    let returned = false;
    const { promise, resolve } = deferred();
    this.ended = promise;
    const { clock, errors } = this;
    serve(
      run?.wrap(stream) ?? stream,
      handler,
      { clock, date: false, error: (error) => errors.push(error), ...options },
      (error) => {
        this.completions++;
        this.error = error;
        this.inside ||= !returned;
        resolve();
      },
    );
    returned = true;
  }

  /** Sends text, and waits until nothing more happens. */
  async send(text: string): Promise<void> {
    void this.client.write(text);
    await quiet(4);
  }

  /** What the client has got; throws where something is left that is no whole message. */
  responses(bodiless: readonly number[] = []): SeenMessage[] {
    const { all, rest } = messagesIn(this.client.text, bodiless);
    assert.equal(rest, "");
    return all;
  }

  /** The statuses of all responses. */
  get statuses(): number[] {
    return this.responses().map(({ status }) => status);
  }

  /** Expects that it has completed once, with this error, and that nothing is left of it. */
  assertEnded(code?: string): void {
    assert.deepEqual([this.completions, this.error?.code], [1, code]);
    assert.equal(this.inside, false);
    this.assertNothingLeft();
    assert.equal(this.stream.closed, true);
  }

  /** Expects that no timer and no listener is left. */
  assertNothingLeft(): void {
    assert.equal(this.clock.pending, 0, "a timer is left");
    for (const signal of this.#signals) {
      if (signal !== undefined) assert.equal(getEventListeners(signal, "abort").length, 0, "a listener is left");
    }
  }

  /** Has the client end, and expects that all ends with this error. */
  async end(code?: string): Promise<void> {
    this.client.resume();
    this.client.stream.end();
    await quiet(4);
    this.assertEnded(code);
  }
}

/** A request without a body. */
export function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
}

/** A request with a body. */
export function post(body: string, headers = ""): string {
  return `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

/** A body that is fed by hand, and keeps what is done to it. */
export class HandBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  /** How many parts were asked for, and how often it was told to stop, or dropped without being begun. */
  asked = 0;
  stops = 0;
  drops = 0;
  #waiting: ReturnType<typeof deferred<IteratorResult<Uint8Array>>> | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    this.asked++;
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.stops++;
    return Promise.resolve({ done: true, value: undefined });
  }

  cancel(): void {
    this.drops++;
  }

  /** Gives the part that was asked for, or ends. */
  async give(text?: string): Promise<void> {
    const value = text === undefined ? undefined : encodeLatin1(text);
    this.#waiting!.resolve(value === undefined ? { done: true, value } : { done: false, value });
    await quiet(2);
  }

  async fail(error: unknown): Promise<void> {
    this.#waiting!.reject(error);
    await quiet(2);
  }
}
