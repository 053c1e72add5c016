import { abortError } from "../core/index.ts";
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
import { NodeSocketStream, type ReadWay } from "./sockets/node-socket-stream.ts";
import type { SocketStream } from "./sockets/socket-stream.ts";

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** Aborts the attempt; it has no effect on a connected stream. */
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a TCP port or a Unix socket. The only deadline is the operating system's: pass a signal for another. If a
 * host has several addresses and none answers at once, those that were given up for the next are tried again, one by one.
 *
 * Rejects with `net.connection_refused`, `net.host_not_found`, `net.access_denied`, `core.timeout` (the operating
 * system's), `core.aborted`, `core.invalid_argument`, `net.path_too_long`, or `core.transport`. The cause is Node's error.
 */
export function connect(target: Target, options: ConnectOptions = {}): Promise<SocketStream> {
  return connectBy("onread", target, options);
}

/** {@link ConnectOptions} of the package's own callers. */
interface CancellableOptions {
  signal?: Cancellation | undefined;
}

/** {@link connect}, with a choice of how to read. */
export function connectBy(way: ReadWay, target: Target, options: CancellableOptions = {}): Promise<SocketStream> {
  return handled(
    new Promise((resolve, reject) => {
      checkTarget("connect", target);
      const signal = signalOf(options);
      if (signal?.aborted === true) throw abortError(signal);
      const { host = "localhost", port, unix, family } = target;
      const name = nameOf({ host, port, unix });
      const abort = (): void => {
        stream.close();
        reject(abortError(signal!));
      };
      let failure: Error | undefined;
      let left: string[] = [];
      const connected = (error: Error | undefined): void => {
        if (error !== undefined && failure === undefined) {
          failure = error;
          left = givenUp(error);
        }
        const address = error === undefined ? undefined : left.shift();
        if (address !== undefined) {
          stream = NodeSocketStream.connecting({ host: address, port: port! }, way, connected);
          return;
        }
        if (signal !== undefined) offAbort(signal, abort);
        if (error === undefined) resolve(stream);
        else reject(connectError(failure, name));
      };
      let stream: NodeSocketStream;
      try {
        stream = NodeSocketStream.connecting(
          unix === undefined ? { host, port: port!, family } : { path: unix },
          way,
          connected,
        );
      } catch (error) {
        throw connectError(error, name);
      }
      if (signal !== undefined) onAbort(signal, abort);
    }),
  );
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

const connectOptions = optionSet("connect", ["signal"], "{ signal }");

function signalOf(options: CancellableOptions): Cancellation | undefined {
  checkOptions(connectOptions, options);
  return checkSignal(options.signal);
}
