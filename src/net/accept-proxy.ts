import {
  complete,
  FlatBuffer,
  PrefixedStream,
  transportError,
  type ByteStream,
  type Handler,
  type ReadHandler,
  type ServalError,
} from "../core/index.ts";
import { AbortGuard, checkBoolean, checkByteStream, checkOptions, checkSignal, optionSet } from "../core/internal.ts";
import { badProxyHeader, netError } from "./errors.ts";
import type { ProxyHeader } from "./proxy-header.ts";
import { checkMaxSize, isProxyHeader, parseProxyHeader, type ProxyHeaderOptions } from "./proxy-protocol.ts";

/** Options of {@link acceptProxy}. */
export interface AcceptProxyOptions extends ProxyHeaderOptions {
  /**
   * Whether a connection without a header is refused. Default true, as the specification demands: if a header may be
   * missing, a client can forge one. Set it to false only if nobody but the proxy can connect.
   */
  required?: boolean | undefined;
  /**
   * Aborts the operation with `core.aborted`. There is no deadline by default; the specification suggests a few
   * seconds.
   */
  signal?: AbortSignal | undefined;
}

/** A {@link ByteStream} after a header of the PROXY protocol; its `peer` is the client. Made by `acceptProxy`. */
export class ProxyStream extends PrefixedStream implements ByteStream {
  /** The parsed header; undefined if it was not required and absent. */
  readonly header: ProxyHeader | undefined;

  /** @internal */
  constructor(nextLayer: ByteStream, rest: Uint8Array, header: ProxyHeader | undefined) {
    super(nextLayer, rest, { peer: header?.source });
    this.header = header;
  }
}

class Acceptance {
  readonly #stream: ByteStream;
  readonly #options: AcceptProxyOptions;
  readonly #handler: Handler<ProxyStream>;
  /** Bytes of earlier reads; the header may come in several. */
  readonly #buffer: FlatBuffer = new FlatBuffer();
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, options: AcceptProxyOptions, handler: Handler<ProxyStream>) {
    this.#stream = stream;
    this.#options = options;
    this.#handler = handler;
  }

  start(): void {
    checkByteStream("acceptProxy", this.#stream);
    const signal = signalOf(this.#options);
    this.#stream.readSome(this.#onRead);
    this.#guard = AbortGuard.over(this.#stream, signal);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    if (error !== undefined) return this.#finish(error, undefined);
    let result: ProxyStream | undefined;
    try {
      result = bytes === undefined ? this.#ended() : this.#take(bytes);
      if (result === undefined) return this.#stream.readSome(this.#onRead);
    } catch (failure) {
      return this.#finish(transportError(failure), undefined);
    }
    this.#finish(undefined, result);
  };

  #take(bytes: Uint8Array): ProxyStream | undefined {
    const buffer = this.#buffer;
    if (buffer.size > 0) buffer.append(bytes);
    const all = buffer.size > 0 ? buffer.data() : bytes;
    if (this.#options.required === false && isProxyHeader(all) === false) {
      return new ProxyStream(this.#stream, all, undefined);
    }
    const header = parseProxyHeader(all, this.#options);
    if (header !== undefined) return new ProxyStream(this.#stream, all.subarray(header.size), header);
    if (buffer.size === 0) buffer.append(bytes);
    return undefined;
  }

  #ended(): ProxyStream {
    const bytes = this.#buffer.data();
    if (isProxyHeader(bytes) === true) throw badProxyHeader("the stream ended inside the header");
    if (this.#options.required === false) return new ProxyStream(this.#stream, bytes, undefined);
    throw netError("net.no_proxy_header", { message: "The stream ended before a header of the PROXY protocol" });
  }

  #finish(failure: ServalError | undefined, result: ProxyStream | undefined): void {
    const error = this.#guard?.release() ?? failure;
    if (error !== undefined) this.#stream.close();
    // After an error there is no result; the handler must not use it.
    this.#handler(error, error === undefined ? result! : (undefined as unknown as ProxyStream));
  }
}

const acceptProxyOptions = optionSet("acceptProxy", ["required", "maxSize", "signal"], "{ required: false }");

/** Checks the options and returns their signal. */
function signalOf(options: AcceptProxyOptions): AbortSignal | undefined {
  checkOptions(acceptProxyOptions, options);
  checkMaxSize(options);
  const { required, signal } = options;
  checkBoolean("required", required, true);
  return checkSignal(signal);
}

/**
 * Reads the header of the PROXY protocol, version 1 or 2, that a load balancer sends at the beginning of each
 * connection. Completes with a stream of the bytes after it: the next layer for TLS, HTTP or WebSocket. The stream's
 * `peer` is the client named in the header, or the next layer's if the header names none (`local`, unknown). Accept
 * connections from trusted proxies only: nothing proves what a header says. Without a handler, returns a promise.
 *
 * Fails with `net.no_proxy_header`, `net.bad_proxy_header`, `net.proxy_header_limit`, the stream's error, or
 * `core.aborted` if the signal fired; the stream is then closed. Misuse is `core.invalid_argument` for invalid options
 * and `core.operation_pending` for a read already in flight; with a handler, misuse throws. Format: HAProxy's
 * proxy-protocol.txt.
 */
export function acceptProxy(stream: ByteStream, handler: Handler<ProxyStream>): void;
export function acceptProxy(
  stream: ByteStream,
  options: AcceptProxyOptions | undefined,
  handler: Handler<ProxyStream>,
): void;
export function acceptProxy(stream: ByteStream, options?: AcceptProxyOptions): Promise<ProxyStream>;
export function acceptProxy(
  stream: ByteStream,
  options: AcceptProxyOptions | Handler<ProxyStream> = {},
  handler?: Handler<ProxyStream>,
): Promise<ProxyStream> | void {
  if (typeof options === "function") return acceptProxy(stream, undefined, options);
  return complete(handler, (done) => new Acceptance(stream, options, done).start());
}
