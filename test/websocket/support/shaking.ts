// Handshakes in the client role over pairs in memory, and the server at the other end, which speaks in bytes.
import type { ByteStream, ServalError } from "../../../src/core/index.ts";
import type { Request, Response } from "../../../src/http/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream, type Run } from "../../../src/testing/index.ts";
import { requestOf } from "../../../src/websocket/handshake/head-text.ts";
import { ClientHandshake, type HandshakeInput } from "../../../src/websocket/operations/client-handshake.ts";
import type { HandshakeResult, OpeningOwner } from "../../../src/websocket/operations/opening.ts";
import { deferred } from "../../support/quiet.ts";
import { concat } from "./frames.ts";
import { answerTo } from "./requests.ts";

/** What became of a handshake. */
export interface Shaking {
  operation: ClientHandshake;
  next: PairStream;
  server: PairStream;
  clock: VirtualClock;
  /** What the handshake stands on: `next`, or in a run of `everyFailure` a stream over it. */
  below: ByteStream;
  /** Fulfils with the handshake's outcome. */
  done: Promise<void>;
  /** What is to be seen of it: that the request was sent, a response received; and what the owner was told, in order. */
  readonly told: string[];
  /** Whether it told the outcome inside of `start`. */
  inside: boolean;
  readonly request: Request | undefined;
  readonly response: Response | undefined;
  error: ServalError | undefined;
  result: HandshakeResult | undefined;
  /** What the server received. */
  received: string;
  /** Whether the next layer was closed when the outcome was told. */
  closedBefore: boolean;
}

/** How a handshake is run, and what the server does. */
export interface ShakingCall {
  input?: Partial<HandshakeInput>;
  signal?: AbortSignal;
  /** The client's side of the pair, and the server's. */
  pair?: PairOptions;
  serverPair?: PairOptions;
  /** The pieces that the server answers with, once it has the request; it is told the right Sec-WebSocket-Accept. */
  answer?: (accept: string) => readonly Uint8Array[];
  /** Whether the server ends behind that. */
  ends?: boolean;
  /** Whether the server reads nothing. */
  deaf?: boolean;
  /** The run of `everyFailure` that it belongs to. */
  run?: Run;
  /** Does something with the next layer first. */
  busy?: (next: PairStream) => unknown;
}

/** Starts a handshake. What `start` throws comes out. */
export function shaking(call: ShakingCall = {}): Shaking {
  const [next, server] = pair({ capacity: Infinity, ...call.pair }, { capacity: Infinity, ...call.serverPair });
  const clock = call.run?.clock ?? new VirtualClock();
  const below = call.run?.wrap(next) ?? next;
  const { promise: done, resolve } = deferred();
  const input: HandshakeInput = {
    host: "example.com",
    target: "/chat",
    protocols: [],
    deflate: undefined,
    maxHeaderSize: 16_384,
    maxHeadersCount: 2000,
    handshakeMs: 30_000,
    clock,
    ...call.input,
  };
  let returned = false;
  const calls: string[] = [];
  const owner: OpeningOwner = {
    peer: undefined,
    openingCompleted(error, result) {
      calls.push("completed");
      state.inside ||= !returned;
      state.error = error;
      state.result = result;
      state.closedBefore = next.closed;
      resolve();
    },
    openingEnded: () => calls.push("ended"),
  };
  const operation = new ClientHandshake(below, input, owner, () => {});
  const state: Shaking = {
    operation,
    next,
    server,
    clock,
    below,
    done,
    get told() {
      const sent = (operation.request ?? operation.head) === undefined ? [] : ["sent"];
      const received = operation.response === undefined ? [] : ["received"];
      return [...sent, ...received, ...calls];
    },
    get request() {
      return operation.head === undefined ? operation.request : requestOf(operation.head);
    },
    get response() {
      return operation.response;
    },
    inside: false,
    error: undefined,
    result: undefined,
    received: "",
    closedBefore: false,
  };
  call.busy?.(next);
  if (call.deaf !== true) serve(state, call);
  operation.start(call.signal);
  returned = true;
  return state;
}

/** The server: reads all the time; answers when it has a request. */
function serve(state: Shaking, { answer, ends = false }: ShakingCall): void {
  const { server } = state;
  let answered = answer === undefined;
  const read = (): void =>
    server.readSome((error, bytes) => {
      if (error !== undefined || bytes === undefined) return;
      state.received += Buffer.from(bytes).toString("latin1");
      if (!answered && state.received.includes("\r\n\r\n")) {
        answered = true;
        const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(state.received)?.[1] ?? "";
        send(server, [...answer!(answerTo(key))], ends);
      }
      read();
    });
  read();
}

function send(server: PairStream, pieces: Uint8Array[], ends: boolean): void {
  const rest = pieces.filter((piece) => piece.length > 0);
  const [first] = rest;
  if (first === undefined) {
    if (ends) server.end();
    return;
  }
  server.writeSome(first, (error, written) => {
    if (error !== undefined) return;
    send(server, written < first.length ? [first.subarray(written), ...rest.slice(1)] : rest.slice(1), ends);
  });
}

/** What a handshake came to, in a form to compare. */
export function outcomeOf(state: Shaking): {
  code?: string;
  protocol?: string;
  rest?: string;
  response: [status: number, body: string] | undefined;
} {
  const { error, result, response } = state;
  const seen: [number, string] | undefined = response && [
    response.status,
    Buffer.from(response.body).toString("latin1"),
  ];
  if (error !== undefined) return { code: error.code, response: seen };
  if (result === undefined) return { response: seen };
  return { protocol: result.protocol, rest: Buffer.from(concat(result.rest)).toString("latin1"), response: seen };
}
