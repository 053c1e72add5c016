import { channel } from "node:diagnostics_channel";
import { lstat, stat, unlink } from "node:fs/promises";
import { Server, Socket, type ListenOptions as NodeListenOptions } from "node:net";
import { dirname } from "node:path";
import { abortError, ServalError, transportError, type Peer } from "../core/index.ts";
import {
  checkFunction,
  checkNoArguments,
  checkNumber,
  checkOptions,
  checkSignal,
  handled,
  invalidArgument,
  isPromise,
  offAbort,
  onAbort,
  optionSet,
  reportError,
  runReported,
  show,
} from "../core/internal.ts";
import { takeConnections } from "./sockets/accepted-handles.ts";
import { checkNames, listenedOn, nameOf } from "./address.ts";
import { listenError } from "./errors.ts";
import { HandleStream } from "./sockets/handle-stream.ts";
import { NodeSocketStream } from "./sockets/node-socket-stream.ts";
import { hasOnread } from "./sockets/onread.ts";
import type { SocketStream } from "./sockets/socket-stream.ts";
import type { StreamHandle } from "./sockets/stream-handle.ts";
import { chooseTransport, wantedTransport, type Transport, type Way } from "./sockets/transport.ts";

/** The address that {@link listen} listens on, and how. Either `port` or `unix` is required. */
export interface ListenOptions {
  /** The TCP port; 0 for any free one. */
  port?: number | undefined;
  /** An address or name of this machine. Default: all addresses, IPv6 and IPv4. */
  host?: string | undefined;
  /**
   * The path of a Unix socket, instead of port and host: at most 107 bytes on Linux, 103 on macOS. `close` removes its
   * file.
   */
  unix?: string | undefined;
  /** How many connections may wait to be accepted. Default 511; the operating system may have a lower limit. */
  backlog?: number | undefined;
  /**
   * Called when the connection handler throws or its promise rejects, with the error and the stream, which is then
   * closed. Also called, without a stream, when a connection can't be accepted, such as for too many open files;
   * listening goes on. By default the console shows the error.
   */
  error?: ((error: unknown, stream?: SocketStream) => unknown) | undefined;
  /**
   * What drives the accepted connections: `"handle"`, the handles below Node's sockets, which takes about half the processor
   * time and memory of a connection, or `"socket"`, Node's sockets. Default: the environment variable `SERVAL_TRANSPORT`,
   * or else handles on Linux and sockets elsewhere. Handles are undocumented in Node.js: they are tried out first, and
   * sockets used where they do not work.
   */
  transport?: Transport | undefined;
  /** Aborts the attempt with `core.aborted`. It has no effect on a {@link Listener}; use its `close`. */
  signal?: AbortSignal | undefined;
}

/**
 * Handles a new connection. It should start a read or a write, or keep the stream to do so later. If it throws, or its
 * promise rejects, the stream is closed and the option `error` gets the failure. A promise that fulfils does not close
 * the stream.
 */
export type ConnectionHandler = (stream: SocketStream) => unknown;

/** Its subscribers get each socket that a server accepts. */
const sockets = channel("net.server.socket");

/** A listening socket, made by {@link listen}. */
export class Listener {
  /** The TCP port; undefined for a Unix socket. */
  readonly port: number | undefined;
  /** The IP address it listens on; undefined for a Unix socket. */
  readonly host: string | undefined;
  /** The path of the Unix socket; undefined for TCP. */
  readonly unix: string | undefined;
  /** What drives the accepted connections. */
  readonly transport: Transport;
  readonly #server: Server;
  readonly #address: Peer;
  /** The peer of all connections of a Unix socket. */
  readonly #peer: Peer | undefined;
  readonly #onConnection: ConnectionHandler;
  readonly #error: ListenOptions["error"];
  #connections = 0;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(server: Server, options: ListenOptions, onConnection: ConnectionHandler, way: Way) {
    this.#server = server;
    this.#onConnection = onConnection;
    this.#error = options.error;
    this.#address = listenedOn(server);
    this.port = this.#address.port;
    this.host = this.#address.address;
    this.unix = this.#address.unix;
    this.#peer = this.unix === undefined ? undefined : { unix: this.unix };
    // Stays for the whole life: a connection that can't be accepted must not end the process.
    server.on("error", (cause) => {
      if (this.#error !== undefined) this.#tell(transportError(cause));
    });
    server.on("connection", (socket) => this.#accepted(NodeSocketStream.fromSocket(socket, this.unix, this.#left)));
    const takes = way === "handle" || (way === "onread" && hasOnread());
    const taken = takes && takeConnections(server, (handle) => this.#take(handle, way));
    this.transport = way === "handle" && taken ? "handle" : "socket";
  }

  /** How many accepted connections are open. */
  get connections(): number {
    return this.#connections;
  }

  /** The address it listens on: `{ address, port, family }`, or `{ unix }`. */
  address(): Peer {
    return this.#address;
  }

  /**
   * Stops listening. Accepted connections stay open, and keep the process alive. Idempotent. Rejects with
   * `core.invalid_argument` for an argument, such as the callback that Node's `close` takes.
   */
  close(): Promise<void>;
  close(...rest: unknown[]): Promise<void> {
    try {
      checkNoArguments("close", rest, "await its promise");
    } catch (error) {
      return handled(Promise.reject(error as ServalError));
    }
    this.#closed ??= handled(
      new Promise<void>((resolve) => {
        // The callback of Node's `close` would wait for connections; the address is free after a turn of the event
        // loop.
        this.#server.close();
        setImmediate(resolve);
      }),
    );
    return this.#closed;
  }

  /** Takes a connection before Node.js makes a socket of it, unless others want to see that. */
  #take(handle: StreamHandle, way: Way): boolean {
    if (sockets.hasSubscribers) return false;
    if (way === "handle") {
      this.#accepted(new HandleStream(handle, this.#peer, this.#left));
    } else {
      const stream = NodeSocketStream.fromHandle(handle, this.unix, this.#left);
      this.#accepted(stream);
      stream.handedOver();
    }
    return true;
  }

  #accepted(stream: SocketStream): void {
    this.#connections++;
    try {
      const result = this.#onConnection(stream);
      if (isPromise(result)) result.then(undefined, (error: unknown) => this.#failed(error, stream));
    } catch (error) {
      this.#failed(error, stream);
    }
  }

  /** A failure of one connection must end neither the others nor the process. */
  #failed(error: unknown, stream: SocketStream): void {
    stream.close();
    this.#tell(error, stream);
  }

  #tell(error: unknown, stream?: SocketStream): void {
    const handler = this.#error;
    if (handler === undefined) reportError(error);
    else runReported(() => handler(error, stream));
  }

  readonly #left = (): void => {
    this.#connections--;
  };
}

/**
 * Listens on a TCP port or a Unix socket. `onConnection` gets a {@link SocketStream} for each connection. The file of a
 * Unix socket left by a dead process is replaced.
 *
 * Rejects with `net.address_in_use`, `net.access_denied`, `net.bad_address` or `core.transport`, whose cause is Node's
 * error; with `core.aborted`; and, before anything is bound, with `net.path_too_long` for the path of a Unix socket and
 * `core.invalid_argument` for invalid options or handler.
 */
export function listen(options: ListenOptions, onConnection: ConnectionHandler): Promise<Listener> {
  return handled(start(undefined, options, onConnection));
}

/** {@link listen}, with a choice of how connections are driven. */
export function listenBy(way: Way, options: ListenOptions, onConnection: ConnectionHandler): Promise<Listener> {
  return handled(start(way, options, onConnection));
}

async function start(
  given: Way | undefined,
  options: ListenOptions,
  onConnection: ConnectionHandler,
): Promise<Listener> {
  check(options, onConnection);
  const way = given ?? ((await chooseTransport(options.transport)) === "handle" ? "handle" : "onread");
  const { port, host, unix, backlog, signal } = options;
  const where: NodeListenOptions = unix === undefined ? { port: port! } : { path: unix };
  if (unix === undefined && host !== undefined) where.host = host;
  if (backlog !== undefined) where.backlog = backlog;
  const server = new Server({ allowHalfOpen: true, pauseOnConnect: true });
  const start = (): Promise<Listener> =>
    new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (signal !== undefined) offAbort(signal, abort);
        reject(error);
      };
      const abort = (): void => {
        server.close();
        fail(abortError(signal!));
      };
      if (signal?.aborted === true) throw abortError(signal);
      if (signal !== undefined) onAbort(signal, abort);
      server.once("error", fail);
      server.listen(where, () => {
        // Node.js begins to listen once the host's name is resolved, even after an abort.
        if (signal?.aborted === true) server.close();
        else {
          if (signal !== undefined) offAbort(signal, abort);
          server.off("error", fail);
          // In the same turn, before Node can accept a connection in the ordinary way.
          resolve(new Listener(server, options, onConnection, way));
        }
      });
    });
  try {
    return await start().catch(async (error: unknown) => {
      if (unix === undefined || !(await isStale(unix, error))) throw error;
      await unlink(unix);
      return start();
    });
  } catch (error) {
    if (error instanceof ServalError) throw error;
    const obstacle = unix === undefined || unix.startsWith("\0") ? undefined : await obstacleAt(unix);
    throw listenError(error, nameOf({ host, port, unix }), obstacle);
  }
}

const listenOptions = optionSet(
  "listen",
  ["port", "host", "unix", "backlog", "error", "transport", "signal"],
  "{ port: 8080 }",
);

/** Node would take invalid values for another address, or fail at the first connection. */
function check(options: ListenOptions, onConnection: ConnectionHandler): void {
  checkOptions(listenOptions, options);
  const { port, host, unix, backlog, error } = options;
  if ((port === undefined) === (unix === undefined)) {
    throw invalidArgument("listen takes either a port or unix, the path of a Unix socket, such as { port: 8080 }");
  }
  checkNames({ host, unix });
  if (port !== undefined && typeof port !== "number") throw invalidArgument(`port must be a number, not ${show(port)}`);
  checkNumber("backlog", backlog, 0, { isWhole: true, isLimit: false });
  checkFunction("error", error);
  wantedTransport(options.transport);
  checkSignal(options.signal);
  if (typeof onConnection !== "function") {
    throw invalidArgument("listen takes a connection handler, a function, as its second argument: (stream) => { … }");
  }
}

/**
 * What is in the way of a Unix socket, and what to do. The system says of a file that the address is in use, and Node.js
 * of a missing folder that permission is.
 */
async function obstacleAt(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const around = await stat(folder).catch(errorOf);
  if ("code" in around) {
    const isMissing = around.code === "ENOENT";
    return isMissing ? `the folder ${folder} does not exist. Make it first, or choose another path` : undefined;
  }
  if (!around.isDirectory()) return `${folder} is no folder. Choose another path`;
  const there = await lstat(path).catch(errorOf);
  if ("code" in there || there.isSocket()) return undefined;
  const what = there.isDirectory() ? "folder" : "file";
  return `a ${what} is there that is no socket. Remove it, or choose another path`;
}

const errorOf = (error: unknown): { readonly code: unknown } => ({ code: (error as NodeJS.ErrnoException).code });

/** Whether an address is in use only because a dead process left its file. */
async function isStale(path: string, error: unknown): Promise<boolean> {
  if ((error as { code?: unknown }).code !== "EADDRINUSE" || path.startsWith("\0")) return false;
  // Checked first: connecting to an ordinary file is refused too, but that file must not be deleted.
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const probe = new Socket();
    probe.on("error", (refusal: Error & { code?: string }) => resolve(refusal.code === "ECONNREFUSED"));
    probe.on("connect", () => {
      // Ended without a reset: a server in another process may not handle one well.
      probe.resume().unref().end();
      resolve(false);
    });
    probe.connect(path);
  });
}
