// Streams over pairs in memory, and the peer at the other end: it speaks in bytes, so that nothing tested checks itself.
import assert from "node:assert/strict";
import type { ByteStream, CloseInfo, ServalError } from "../../../src/core/index.ts";
import { Fields } from "../../../src/http/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream, type Run } from "../../../src/testing/index.ts";
import {
  Stream,
  type AcceptOptions,
  type AcceptSource,
  type MessageData,
  type StreamOptions,
} from "../../../src/websocket/index.ts";
import { deferred, quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { describeFrames, wholeFrames } from "./frames.ts";
import { requestBytes } from "./requests.ts";

/** A response as it came over the wire. */
export interface SeenResponse {
  status: number;
  reason: string;
  headers: Fields;
  body: string;
}

/** The peer of a stream in the server role, which takes what it reads for a response, and then frames. */
export class WebSocketPeer<Next extends ByteStream = PairStream> extends RawPeer<Next> {
  /** The response at the beginning of what was received; undefined while it is not whole. */
  get response(): SeenResponse | undefined {
    return this.#split()?.response;
  }

  /** The frames behind the response, as short texts. */
  get frames(): string[] {
    const rest = this.#split()?.rest ?? new Uint8Array(0);
    return describeFrames(rest.subarray(0, wholeFrames(rest)));
  }

  #split(): { response: SeenResponse; rest: Uint8Array } | undefined {
    const all = Buffer.from(this.received).toString("latin1");
    const end = all.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const [line, ...lines] = all.slice(0, end).split("\r\n");
    const [, status, reason] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line) ?? assert.fail(`not a status line: ${line}`);
    const headers = new Fields(
      lines.map((one): [string, string] => [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1)]),
    );
    const size = Number(headers.get("Content-Length") ?? 0);
    const body = all.slice(end + 4, end + 4 + size);
    if (body.length < size) return undefined;
    return {
      response: { status: Number(status), reason, headers, body },
      rest: this.received.subarray(end + 4 + size),
    };
  }
}

/** What became of an `accept`. */
export interface Accepting<Data = unknown> {
  ws: Stream<Data>;
  next: PairStream;
  peer: WebSocketPeer;
  clock: VirtualClock;
  /** Fulfils when the completion handler has run. */
  done: Promise<void>;
  /** How often the completion handler ran, with what, and whether that was inside the call. */
  completions: number;
  error: ServalError | undefined;
  inside: boolean;
  /** What `closed` fulfilled with, once it did. */
  closed: CloseInfo | undefined;
  /** What reached the handler `message`. */
  messages: MessageData[];
  /** What reached the handler `error`. */
  errors: string[];
}

/** How an `accept` is called, and over what. */
export interface AcceptCall<Data = unknown> {
  options?: StreamOptions<Data>;
  source?: AcceptSource;
  accept?: AcceptOptions;
  /** The stream's side of the pair, and the peer's. */
  pair?: PairOptions;
  peerPair?: PairOptions;
  /** The run of `everyFailure` that it belongs to. */
  run?: Run;
  /** Runs in the completion handler. */
  completed?: (ws: Stream<Data>) => unknown;
}

/**
 * Calls `accept` on a new stream, pushed unless its options say `message: undefined`, and overwrites what it was given
 * as soon as the call has returned.
 */
export function accepting<Data = unknown>(call: AcceptCall<Data> = {}): Accepting<Data> {
  const [next, other] = pair({ capacity: Infinity, ...call.pair }, { capacity: Infinity, ...call.peerPair });
  const clock = call.run?.clock ?? new VirtualClock();
  const messages: MessageData[] = [];
  const errors: string[] = [];
  const { promise: done, resolve } = deferred();
  const ws = new Stream<Data>(call.run?.wrap(next) ?? next, {
    clock,
    message: (_, message) => void messages.push(message),
    error: (_, error) => void errors.push(error.code),
    ...call.options,
    // Whoever counts timers counts those of handshakes.
    timeouts: { idle: Infinity, ...call.options?.timeouts },
  });
  const state: Accepting<Data> = {
    ws,
    next,
    peer: new WebSocketPeer(other),
    clock,
    done,
    completions: 0,
    error: undefined,
    inside: false,
    closed: undefined,
    messages,
    errors,
  };
  void ws.closed.then((info) => {
    state.closed = info;
  });
  const { source, accept = {} } = call;
  let returned = false;
  const completed = (error: ServalError | undefined): void => {
    state.completions++;
    state.error = error;
    state.inside ||= !returned;
    call.completed?.(ws);
    resolve();
  };
  if (source === undefined) ws.accept(accept, completed);
  else ws.accept(source, accept, completed);
  returned = true;
  for (const given of [source, accept.buffered]) {
    if (given instanceof Uint8Array) given.fill(0xdb);
    else if (Array.isArray(given)) for (const bytes of given as Uint8Array[]) bytes.fill(0xdb);
  }
  return state;
}

/** A stream that is open; what its peer receives begins with the response. */
export async function opened<Data = unknown>(
  options: StreamOptions<Data> = {},
  { behind = [], ...call }: Omit<AcceptCall<Data>, "options" | "source"> & { behind?: Uint8Array[] } = {},
): Promise<Accepting<Data>> {
  const state = accepting<Data>({
    ...call,
    options,
    source: [requestBytes(), ...behind.map((bytes) => bytes.slice())],
  });
  await quiet();
  assert.deepEqual([state.completions, state.error], [1, undefined]);
  return state;
}

/** The same, pulled. */
export function pulled<Data = unknown>(
  options: StreamOptions<Data> = {},
  call: Parameters<typeof opened<Data>>[1] = {},
): Promise<Accepting<Data>> {
  return opened<Data>({ ...options, message: undefined } as unknown as StreamOptions<Data>, call);
}

/** What a promise came to: its value, its error, or that it is pending. */
export async function outcomeOf<Value>(
  promise: Promise<Value>,
): Promise<{ value?: Value; error?: ServalError } | "pending"> {
  const settled = promise.then(
    (value) => ({ value }),
    (error: ServalError) => ({ error }),
  );
  await quiet();
  return Promise.race([settled, quiet().then((): "pending" => "pending")]);
}

/** The code that a promise rejects with; or its value, or that it is pending. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await outcomeOf(promise);
  if (outcome === "pending") return outcome;
  return outcome.error === undefined ? outcome.value : outcome.error.code;
}

/** The end of a test of a connection: the peer ends, everything is closed, no timer is left. Returns how it ended. */
export async function ended(state: Accepting): Promise<CloseInfo> {
  state.peer.resume();
  state.peer.stream.end();
  await quiet();
  assert.equal(state.clock.pending, 0, "a timer is left");
  assert.equal(state.next.closed, true, "the next layer is open");
  assert.equal(state.ws.isOpen, false);
  return state.closed ?? assert.fail("closed is pending");
}

/** Collects what would end the process, for the time of a test. */
export function uncaughtIn(context: { after(restore: () => void): void }): unknown[] {
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  context.after(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return uncaught;
}
