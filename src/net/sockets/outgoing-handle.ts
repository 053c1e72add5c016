// Connecting by the handles below `net.Socket`. As `stream-handle.ts`, it names what Node's own `net` uses, and
// `handle-check.ts` tries it out.
import { systemError, type HandleRequest, type StreamHandle } from "./stream-handle.ts";

/** Where a handle connects to: an IP address and a port, or the path of a Unix socket. */
export type HandleTarget = { readonly address: string; readonly port: number } | { readonly path: string };

interface ConnectRequest extends HandleRequest {
  attempt?: HandleAttempt;
}

type OutgoingHandle = StreamHandle & {
  connect(request: ConnectRequest, addressOrPath: string, port?: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
};

type HandleClass = new (kind: number) => OutgoingHandle;
type RequestClass = new () => ConnectRequest;

interface TcpWrap {
  readonly TCP: HandleClass;
  readonly TCPConnectWrap: RequestClass;
  readonly constants: { readonly SOCKET: number };
}

interface PipeWrap {
  readonly Pipe: HandleClass;
  readonly PipeConnectWrap: RequestClass;
  readonly constants: { readonly SOCKET: number };
}

const host = process as unknown as { binding(name: "tcp_wrap"): TcpWrap; binding(name: "pipe_wrap"): PipeWrap };
let tcp: TcpWrap | undefined;
let pipe: PipeWrap | undefined;

/** An attempt to connect by a handle. */
export class HandleAttempt {
  readonly #target: HandleTarget;
  readonly #ended: (error: Error | undefined, handle: StreamHandle | undefined) => void;
  /** Undefined once it has ended. */
  #handle: OutgoingHandle | undefined;

  /** Starts it. `ended` is called once, later, with Node's error or the connected handle; after {@link close} it is not. */
  constructor(target: HandleTarget, ended: (error: Error | undefined, handle: StreamHandle | undefined) => void) {
    this.#target = target;
    this.#ended = ended;
    const request: ConnectRequest = "path" in target ? new (pipes().PipeConnectWrap)() : new (tcps().TCPConnectWrap)();
    request.attempt = this;
    request.oncomplete = HandleAttempt.#onConnect;
    const status = this.#start(request, target);
    if (status !== 0) queueMicrotask(() => this.#end(status));
  }

  /** Gives it up. */
  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }

  static readonly #onConnect = function (this: ConnectRequest, status: number): void {
    this.attempt!.#end(status);
  };

  #start(request: ConnectRequest, target: HandleTarget): number {
    if ("path" in target) {
      const { Pipe, constants } = pipes();
      this.#handle = new Pipe(constants.SOCKET);
      return this.#handle.connect(request, target.path);
    }
    const { TCP, constants } = tcps();
    this.#handle = new TCP(constants.SOCKET);
    const { address, port } = target;
    return address.includes(":")
      ? this.#handle.connect6(request, address, port)
      : this.#handle.connect(request, address, port);
  }

  #end(status: number): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    if (status === 0) {
      this.#ended(undefined, handle);
      return;
    }
    handle.close();
    this.#ended(failure(status, this.#target), undefined);
  }
}

function tcps(): TcpWrap {
  return (tcp ??= host.binding("tcp_wrap"));
}

function pipes(): PipeWrap {
  return (pipe ??= host.binding("pipe_wrap"));
}

/** As Node.js words it. */
function failure(status: number, target: HandleTarget): Error {
  const isPath = "path" in target;
  const where = isPath ? { address: target.path } : target;
  const error = systemError(status, "connect");
  error.message += isPath ? ` ${target.path}` : ` ${target.address}:${target.port}`;
  return Object.assign(error, where);
}
