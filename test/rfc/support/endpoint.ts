// An endpoint of ours in either role, and its peer, which speaks and hears bytes: nothing tested checks itself.
import assert from "node:assert/strict";
import type { CloseInfo, Role, ServalError } from "../../../src/core/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../../src/testing/index.ts";
import { Stream, type HandshakeOptions, type MessageData, type StreamOptions } from "../../../src/websocket/index.ts";
import {
  describeFrame,
  frame,
  framesIn,
  wholeFrames,
  type FrameForm,
  type SentFrame,
} from "../../websocket/support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { WebSocketPeer } from "../../websocket/support/kit.ts";
import { requestBytes, type Changes } from "../../websocket/support/requests.ts";
import { responseToKey } from "../../websocket/support/responses.ts";

const nothing = new Uint8Array(0);

export const roles: readonly Role[] = ["server", "client"];

/** What a head on the wire says: its first line, and the fields with their names in lower case, in order. */
export interface Head {
  line: string;
  headers: [name: string, value: string][];
}

/** Frames as the peer of an endpoint in `role` makes them: a client masks, a server does not. */
export class Speaker {
  readonly #form: FrameForm;

  constructor(role: Role) {
    this.#form = role === "server" ? {} : { key: undefined };
  }

  readonly frame = (code: number, payload?: string | Uint8Array, form?: FrameForm): Uint8Array =>
    frame(code, payload, { ...this.#form, ...form });
  readonly text = (payload: string | Uint8Array, form?: FrameForm): Uint8Array => this.frame(1, payload, form);
  readonly binary = (payload: string | Uint8Array, form?: FrameForm): Uint8Array => this.frame(2, payload, form);
  readonly more = (payload: string | Uint8Array, form?: FrameForm): Uint8Array => this.frame(0, payload, form);
  readonly ping = (payload?: string | Uint8Array, form?: FrameForm): Uint8Array => this.frame(9, payload, form);
  readonly pong = (payload?: string | Uint8Array, form?: FrameForm): Uint8Array => this.frame(10, payload, form);
  readonly close = (code?: number, reason: string | Uint8Array = "", form?: FrameForm): Uint8Array => {
    const number = code === undefined ? [] : [code >> 8, code & 0xff];
    const text = typeof reason === "string" ? Buffer.from(reason) : reason;
    return this.frame(8, Uint8Array.from([...number, ...text]), form);
  };
}

/** How an endpoint is made, and its handshake. */
export interface EndpointSetup {
  /** Options of the stream. */
  options?: StreamOptions;
  /** Whether the stream is pulled: it has no handlers then. */
  pulled?: boolean;
  /** What our client's handshake asks for. */
  handshake?: HandshakeOptions;
  /** Fields of the peer's half of the handshake that are different, or more. */
  headers?: Changes;
  /** Our side of the pair, and the peer's. */
  pair?: PairOptions;
  peerPair?: PairOptions;
  /** Bytes that come right behind the peer's half of the handshake. */
  behind?: Uint8Array;
}

/** An endpoint of ours in a role. */
export class Endpoint {
  readonly role: Role;
  readonly ws: Stream;
  readonly next: PairStream;
  readonly peer: WebSocketPeer;
  readonly clock: VirtualClock = new VirtualClock();
  readonly say: Speaker;
  /** What reached the handlers `message` and `error`. */
  readonly messages: MessageData[] = [];
  readonly errors: string[] = [];
  /** How often the handshake has completed, and with what error. */
  completions = 0;
  error: ServalError | undefined;
  /** How it ended, once it has. */
  closed: CloseInfo | undefined;

  constructor(role: Role, { options, pulled = false, pair: side, peerPair }: EndpointSetup = {}) {
    this.role = role;
    this.say = new Speaker(role);
    const [next, other] = pair({ capacity: Infinity, ...side }, { capacity: Infinity, ...peerPair });
    this.next = next;
    this.peer = new WebSocketPeer(other);
    const handlers: StreamOptions = {
      message: (_, message) => void this.messages.push(message),
      error: (_, error) => void this.errors.push(error.code),
    };
    this.ws = new Stream(next, { clock: this.clock, ...(pulled ? {} : handlers), ...options });
    void this.ws.closed.then((info) => {
      this.closed = info;
    });
  }

  /** The completion handler of the handshake. */
  readonly completed = (error: ServalError | undefined): void => {
    this.completions++;
    this.error = error;
  };

  /** The head that we sent; undefined while it is not whole. */
  get head(): Head | undefined {
    const all = Buffer.from(this.peer.received).toString("latin1");
    const end = all.indexOf("\r\n\r\n");
    return end < 0 ? undefined : readHead(all.slice(0, end));
  }

  /** The value of a field of the head that we sent; undefined if it is missing, or there is no head. */
  field(name: string): string | undefined {
    const values = this.head?.headers.filter(([own]) => own === name.toLowerCase()).map(([, value]) => value) ?? [];
    return values.length === 0 ? undefined : values.join(", ");
  }

  /** The bytes that we sent behind the head. */
  get sentBytes(): Uint8Array {
    const end = Buffer.from(this.peer.received).indexOf("\r\n\r\n");
    return end < 0 ? new Uint8Array(0) : this.peer.received.subarray(end + 4);
  }

  /** The whole frames that we sent. A server's that are masked, or a client's that are not, fail the test. */
  get sent(): SentFrame[] {
    const bytes = this.sentBytes;
    return framesIn(bytes.subarray(0, wholeFrames(bytes)), this.role);
  }

  /** The same as short texts. */
  get frames(): string[] {
    return this.sent.map(describeFrame);
  }

  /** The peer says something; returns when all that comes of it has happened. */
  async hear(...pieces: Uint8Array[]): Promise<void> {
    for (const piece of pieces) void this.peer.write(piece);
    await quiet();
  }

  /** The peer ends its side, and with that the connection must be over; returns how it ended. */
  async end(): Promise<CloseInfo> {
    this.peer.stream.end();
    // A large message is inflated in several turns of the event loop.
    for (let i = 0; i < 1000 && this.closed === undefined; i++) await quiet();
    assert.equal(this.clock.pending, 0, "a timer is left");
    assert.equal(this.next.closed, true, "the transport is open");
    assert.equal(this.ws.isOpen, false);
    return this.closed ?? assert.fail("closed is pending");
  }
}

function readHead(text: string): Head {
  const [line, ...headers] = text.split("\r\n");
  return {
    line: line!,
    headers: headers.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  };
}

/** Our half of a handshake in the server role, with the peer's request; whatever comes of it. */
export async function accepting(request: Uint8Array, setup: EndpointSetup = {}): Promise<Endpoint> {
  const endpoint = new Endpoint("server", setup);
  endpoint.ws.accept(endpoint.completed);
  await endpoint.hear(request, setup.behind ?? nothing);
  return endpoint;
}

/** Our half of a handshake in the client role, with what the peer responds to the key; whatever comes of it. */
export async function connecting(respond: (key: string) => Uint8Array, setup: EndpointSetup = {}): Promise<Endpoint> {
  const endpoint = new Endpoint("client", setup);
  endpoint.ws.handshake("example.com", "/chat", setup.handshake ?? {}, endpoint.completed);
  await quiet();
  const key = endpoint.field("Sec-WebSocket-Key") ?? assert.fail("no key in the request");
  await endpoint.hear(respond(key), setup.behind ?? nothing);
  return endpoint;
}

/** An endpoint that is open. */
export async function open(role: Role, setup: EndpointSetup = {}): Promise<Endpoint> {
  const { headers } = setup;
  const endpoint =
    role === "server"
      ? await accepting(requestBytes(headers), setup)
      : await connecting((key) => responseToKey(key, headers), setup);
  assert.deepEqual([endpoint.completions, endpoint.error], [1, undefined]);
  return endpoint;
}
