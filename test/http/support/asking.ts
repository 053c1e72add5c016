// A client over a pair in memory, and the server at its other end: it speaks in bytes, so that nothing tested checks itself.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { FlatBuffer, type ByteStream, type ServalError } from "../../../src/core/index.ts";
import { request, Request, type Body, type IncomingResponse, type RequestOptions } from "../../../src/http/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream, type Run } from "../../../src/testing/index.ts";
import { deferred, quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { messagesIn, type SeenMessage } from "./serving.ts";

/** A client's side of a connection, the server's at its other end, and what became of the requests. */
export class Asking {
  readonly clock: VirtualClock;
  /** What the request is made on: `stream`, or in a run of `everyFailure` a stream over it. */
  readonly below: ByteStream;
  /** Fulfils when the request has completed. */
  readonly done: Promise<void>;
  readonly buffer: FlatBuffer = new FlatBuffer();
  readonly stream: PairStream;
  readonly server: RawPeer;
  completions = 0;
  error: ServalError | undefined;
  response: IncomingResponse | undefined;
  inside = false;
  readonly #resolve: () => void;
  #signal: AbortSignal | undefined;

  constructor(own: PairOptions = {}, peer: PairOptions = {}, paused = false, run?: Run) {
    const [stream, other] = pair(own, peer);
    this.stream = stream;
    this.clock = run?.clock ?? new VirtualClock();
    this.below = run?.wrap(stream) ?? stream;
    const { promise, resolve } = deferred();
    this.done = promise;
    this.#resolve = resolve;
    this.server = new RawPeer(other, paused);
  }

  /** Sends a request, and waits until nothing more happens. */
  async ask(message: Request, options: RequestOptions = {}): Promise<void> {
    let returned = false;
    this.completions = 0;
    this.error = this.response = undefined;
    this.#signal = options.signal;
    const { clock, buffer } = this;
    request(this.below, message, { clock, buffer, ...options }, (error, response) => {
      this.completions++;
      this.error = error;
      this.response = response;
      this.inside ||= !returned;
      this.#resolve();
    });
    returned = true;
    await quiet(4);
  }

  async answer(text: string): Promise<void> {
    void this.server.write(text);
    await quiet(4);
  }

  /** What the server has got, if nothing else is left. */
  get requests(): SeenMessage[] {
    const { all, rest } = messagesIn(this.server.text);
    assert.equal(rest, "");
    return all;
  }

  /** Expects one completion, with this error, and that nothing is left of it. */
  assertDone(code?: string): void {
    assert.deepEqual([this.completions, this.error?.code, this.inside], [1, code, false]);
    assert.equal(this.clock.pending, 0, "a timer is left");
    if (this.#signal !== undefined) assert.equal(getEventListeners(this.#signal, "abort").length, 0);
    if (code !== undefined) assert.equal(this.stream.closed, true);
  }
}

export const get = (target = "/"): Request => new Request({ target, headers: { Host: "h" } });
export const post = (body: string | Body, headers = {}): Request =>
  new Request<Body>({ method: "POST", headers: { Host: "h", ...headers }, body });
export const expecting = { Expect: "100-continue" };

export const answers: [name: string, text: string, body: string][] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"],
  ["chunks", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n", "hello"],
  ["no body", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  ["an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""],
  ["interim responses", "HTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"],
];
