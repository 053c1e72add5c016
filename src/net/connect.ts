import { channel } from "node:diagnostics_channel";
import dns from "node:dns";
import { isIP, isIPv4, type SocketConnectOpts } from "node:net";
import { abortError, type ServalError, type Peer } from "../core/index.ts";
import {
  checkOptions,
  checkSignal,
  handled,
  offAbort,
  onAbort,
  optionSet,
  type Cancellation,
} from "../core/internal.ts";
import { checkTarget, nameOf, type Target } from "./address.ts";
import { connectError } from "./errors.ts";
import { HandleStream } from "./sockets/handle-stream.ts";
import { NodeSocketStream } from "./sockets/node-socket-stream.ts";
import { HandleAttempt, type HandleTarget } from "./sockets/outgoing-handle.ts";
import type { SocketStream } from "./sockets/socket-stream.ts";
import { chooseTransport, knownTransport, wantedTransport, type Transport, type Way } from "./sockets/transport.ts";

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** Aborts the attempt; it has no effect on a connected stream. */
  signal?: AbortSignal | undefined;
  /** What drives the connection: see the option of the same name of {@link ListenOptions}. */
  transport?: Transport | undefined;
}

/**
 * Connects to a TCP port or a Unix socket. The only deadline is the operating system's: pass a signal for another. If a
 * host has several addresses and none answers at once, those that were given up for the next are tried again, one by one.
 *
 * Rejects with `net.connection_refused`, `net.host_not_found`, `net.access_denied`, `core.timeout` (the operating
 * system's), `core.aborted`, `core.invalid_argument`, `net.path_too_long`, or `core.transport`. The cause is Node's error.
 */
export function connect(target: Target, options: ConnectOptions = {}): Promise<SocketStream> {
  return connectBy(undefined, target, options);
}

/** {@link ConnectOptions} of the package's own callers. */
interface CancellableOptions extends Omit<ConnectOptions, "signal"> {
  signal?: Cancellation | undefined;
}

/** {@link connect}, with a choice of how the connection is driven. */
export function connectBy(
  way: Way | undefined,
  target: Target,
  options: CancellableOptions = {},
): Promise<SocketStream> {
  return handled(
    new Promise((resolve, reject) => {
      checkTarget("connect", target);
      checkOptions(connectOptions, options);
      const wanted = wantedTransport(options.transport);
      const signal = checkSignal(options.signal);
      if (signal?.aborted === true) throw abortError(signal);
      const attempt = new Attempt(target, signal, resolve, reject);
      const known = knownTransport(wanted);
      if (way !== undefined) attempt.start(way);
      else if (known !== undefined) attempt.start(wayOf(known));
      // Only before the first connection of the process.
      else void chooseTransport(wanted).then((transport) => attempt.start(wayOf(transport)));
    }),
  );
}

const connectOptions = optionSet("connect", ["signal", "transport"], "{ signal }");

function wayOf(transport: Transport): Way {
  return transport === "handle" ? "handle" : "onread";
}

/** Its subscribers get each socket that a client makes. */
const sockets = channel("net.client.socket");

/** Connects to one target: by a handle where there is one address, and else by Node.js, which tries them in turn. */
class Attempt {
  readonly #target: Target;
  readonly #signal: Cancellation | undefined;
  readonly #resolve: (stream: SocketStream) => void;
  readonly #reject: (error: ServalError) => void;
  #way: Way = "handle";
  #current: { close(): void } | undefined;
  #failure: Error | undefined;
  /** Addresses to be tried again. */
  #left: string[] = [];
  #isAborted = false;

  constructor(
    target: Target,
    signal: Cancellation | undefined,
    resolve: (stream: SocketStream) => void,
    reject: (error: ServalError) => void,
  ) {
    this.#target = target;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  start(way: Way): void {
    if (this.#isAborted) return;
    this.#way = way;
    const { host = "localhost", port, unix, family } = this.#target;
    try {
      if (way !== "handle" || sockets.hasSubscribers) {
        this.#bySocket(unix === undefined ? { host, port: port!, family } : { path: unix });
      } else if (unix !== undefined) {
        this.#byHandle({ path: unix });
      } else if (isIP(host) !== 0) {
        this.#byHandle({ address: host, port: port! });
      } else {
        this.#byName(host, port!, family);
      }
    } catch (error) {
      this.#ended(error as Error, undefined);
    }
  }

  /** Gives it up; nothing else is told any more. */
  readonly #onAbort = (): void => {
    this.#isAborted = true;
    this.#current?.close();
    this.#reject(abortError(this.#signal!));
  };

  #ended(error: Error | undefined, stream: SocketStream | undefined): void {
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
    const { host = "localhost" } = this.#target;
    if (stream !== undefined) this.#resolve(stream);
    else this.#reject(connectError(error, nameOf({ ...this.#target, host })));
  }

  #byName(host: string, port: number, family: 4 | 6 | undefined): void {
    dns.lookup(host, { all: true, family: family ?? 0 }, (error, addresses) => {
      if (this.#isAborted) return;
      const [first, second] = addresses ?? [];
      if (error !== null) {
        this.#ended(error, undefined);
      } else if (first !== undefined && second === undefined) {
        this.#byHandle({ address: first.address, port });
      } else {
        // Not looked up again.
        this.#bySocket({ host, port, family, lookup: (_name, _options, found) => found(null, addresses) });
      }
    });
  }

  #byHandle(target: HandleTarget): void {
    this.#current = new HandleAttempt(target, (error, handle) => {
      if (handle === undefined) this.#ended(error, undefined);
      else this.#ended(undefined, new HandleStream(handle, peerAt(target), undefined));
    });
  }

  #bySocket(target: SocketConnectOpts): void {
    const way = this.#way === "data" ? "data" : "onread";
    const stream = NodeSocketStream.connecting(target, way, (error) => {
      if (this.#isAborted) return;
      if (error === undefined) this.#ended(undefined, stream);
      else this.#tryNext(error);
    });
    this.#current = stream;
  }

  #tryNext(error: Error): void {
    if (this.#failure === undefined) {
      this.#failure = error;
      this.#left = givenUp(error);
    }
    const host = this.#left.shift();
    if (host === undefined) this.#ended(this.#failure, undefined);
    else this.#bySocket({ host, port: this.#target.port! });
  }
}

/** What is at the other end, where it is known: an IPv6 address may be written in several ways, of which the system has one. */
function peerAt(target: HandleTarget): Peer | undefined {
  if ("path" in target) return { unix: target.path };
  const { address, port } = target;
  return isIPv4(address) ? { address, port, family: "IPv4" } : undefined;
}

/**
 * The addresses of a host that were given up for the next one, each after the short time that Node.js has for it: after a
 * blocked event loop, before it was seen that they had answered. The last one had all the time that it takes.
 */
function givenUp(error: Error): string[] {
  if (!(error instanceof AggregateError)) return [];
  const attempts = error.errors.slice(0, -1) as (NodeJS.ErrnoException & { address?: string })[];
  return attempts.flatMap(({ code, address }) => (code === "ETIMEDOUT" && address !== undefined ? [address] : []));
}
