// A stream that is open in either role. In the client role its peer is a server, which answers the request with a 101 of its
// own making, masks nothing, and takes nothing that is not masked.
import assert from "node:assert/strict";
import type { CloseInfo, Role } from "../../../src/core/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream, type Run } from "../../../src/testing/index.ts";
import { Stream, type HandshakeOptions, type MessageData, type StreamOptions } from "../../../src/websocket/index.ts";
import * as frames from "./frames.ts";
import { framesIn, wholeFrames, type FrameForm, type SentFrame } from "./frames.ts";
import { quiet } from "../../support/quiet.ts";
import { WebSocketPeer } from "./kit.ts";
import { requestBytes } from "./requests.ts";
import { responseToKey } from "./responses.ts";

/** The extensions that both sides agree to where messages are compressed, each by itself. */
export const extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

export const roles: readonly Role[] = ["server", "client"];

/** How a connection is made. */
export interface Setup {
  /** The stream's side of the pair, and the peer's. */
  pair?: PairOptions;
  peerPair?: PairOptions;
  /** The run of `everyFailure` that it belongs to. */
  run?: Run;
  /** What the peer sends right behind its half of the handshake. */
  behind?: (connection: Connection) => Uint8Array;
  /** What a client's handshake asks for. */
  handshake?: HandshakeOptions;
  /** The extensions that the peer offers, or agrees to. */
  extensions?: string;
}

/** The response of a server that agrees to the request. */
export function responseTo(request: Uint8Array, extensions?: string): Uint8Array {
  const key = /^Sec-WebSocket-Key: *(\S+)\r$/im.exec(Buffer.from(request).toString("latin1"))?.[1];
  return responseToKey(key ?? assert.fail("no key in the request"), { "Sec-WebSocket-Extensions": extensions });
}

/** A stream of ours in a role, pulled unless it has a `message` handler, and its peer, whose frames it makes. */
export class Connection {
  readonly role: Role;
  readonly ws: Stream;
  readonly next: PairStream;
  readonly peer: WebSocketPeer;
  readonly clock: VirtualClock;
  /** What reached the handlers `error` and `drain`. */
  readonly errors: string[] = [];
  drains = 0;
  /** How it ended, once it has. */
  closed: CloseInfo | undefined;

  constructor(role: Role, options: StreamOptions, { pair: side, peerPair, run }: Setup) {
    this.role = role;
    this.clock = run?.clock ?? new VirtualClock();
    const [next, other] = pair({ capacity: Infinity, ...side }, { capacity: Infinity, ...peerPair });
    this.next = next;
    this.peer = new WebSocketPeer(other);
    this.ws = new Stream(run?.wrap(next) ?? next, {
      clock: this.clock,
      error: (_, error) => void this.errors.push(error.code),
      drain: () => void this.drains++,
      ...options,
      // Whoever counts timers counts those of handshakes.
      timeouts: { idle: Infinity, ...options.timeouts },
    });
    void this.ws.closed.then((info) => (this.closed = info));
  }

  text(payload: string | Uint8Array, form?: FrameForm): Uint8Array {
    return frames.text(payload, this.#form(form));
  }

  binary(payload: string | Uint8Array, form?: FrameForm): Uint8Array {
    return frames.binary(payload, this.#form(form));
  }

  more(payload: string | Uint8Array, form?: FrameForm): Uint8Array {
    return frames.more(payload, this.#form(form));
  }

  ping(payload: string | Uint8Array = ""): Uint8Array {
    return frames.ping(payload, this.#form());
  }

  pong(payload: string | Uint8Array = ""): Uint8Array {
    return frames.pong(payload, this.#form());
  }

  close(code?: number, reason?: string): Uint8Array {
    return frames.close(code, reason, this.#form());
  }

  /** The peer sends something; fulfils when all that comes of it has happened. */
  async say(...pieces: Uint8Array[]): Promise<void> {
    void this.peer.write(...pieces);
    await quiet();
  }

  /** A peer that is paused takes one read's worth. */
  async takeSome(): Promise<void> {
    this.peer.resume();
    this.peer.pause();
    await quiet();
  }

  /** A peer that is paused takes everything, and goes on. */
  async takeAll(): Promise<void> {
    this.peer.resume();
    await quiet();
  }

  /** The whole frames that we sent. A server's that are masked, or a client's that are not, fail the test. */
  get sent(): SentFrame[] {
    const bytes = this.sentBytes;
    return framesIn(bytes.subarray(0, wholeFrames(bytes)), this.role);
  }

  /** The same as short texts. */
  get frames(): string[] {
    return this.sent.map(frames.describeFrame);
  }

  /** The bytes that the peer received behind our half of the handshake. */
  get sentBytes(): Uint8Array {
    const { received } = this.peer;
    const end = Buffer.from(received.buffer, received.byteOffset, received.length).indexOf("\r\n\r\n");
    return end < 0 ? new Uint8Array(0) : received.subarray(end + 4);
  }

  /** The end of a test: the peer ends, with that the connection is over, and nothing is left. Returns how it ended. */
  async end(): Promise<CloseInfo> {
    this.peer.resume();
    this.peer.stream.end();
    await quiet();
    assert.equal(this.clock.pending, 0, "a timer is left");
    assert.equal(this.next.closed, true, "the transport is open");
    assert.deepEqual([this.ws.isOpen, this.ws.bufferedAmount], [false, 0]);
    return this.closed ?? assert.fail("closed is pending");
  }

  #form(form?: FrameForm): FrameForm {
    return this.role === "server" ? { ...form } : { key: undefined, ...form };
  }
}

/** A connection whose handshake is done. */
export async function open(role: Role, options: StreamOptions = {}, setup: Setup = {}): Promise<Connection> {
  const connection = new Connection(role, options, setup);
  const { ws, peer } = connection;
  const behind = setup.behind?.(connection) ?? new Uint8Array(0);
  if (role === "server") {
    const accepted = ws.accept();
    await connection.say(requestBytes({ "Sec-WebSocket-Extensions": setup.extensions }), behind);
    await accepted;
  } else {
    const shaken = ws.handshake("example.com", "/chat", setup.handshake);
    await quiet();
    await connection.say(responseTo(peer.received, setup.extensions), behind);
    await shaken;
  }
  return connection;
}

/** Keeps the messages that are pushed, for the option `message`. */
export function kept(messages: MessageData[]): (ws: Stream, message: MessageData) => void {
  return (_, message) => void messages.push(message);
}
