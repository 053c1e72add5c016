// The handles of libuv below `net.Socket`, as Node's own `net` uses them. Node's documentation does not have them, so only
// this file names what they need; `handle-check.ts` tries them out before anything relies on them.
import { getSystemErrorMap } from "node:util";
import { withoutStack } from "../../core/internal.ts";

/** A read, a write or a shutdown has come to an end; `status` is 0 or a system error. */
export interface HandleRequest {
  oncomplete?: (status: number) => void;
}

/** The handle of a TCP connection or a Unix socket. Methods return 0 or a system error, a negative number. */
export interface StreamHandle {
  /** Reports a read: {@link readResult} has its size or error. A returned `Uint8Array` takes the next read. */
  onread?: (() => void) | undefined;
  /** Makes it read into this memory. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: HandleRequest, buffer: Uint8Array): number;
  writev(request: HandleRequest, buffers: readonly Uint8Array[], allBuffers: true): number;
  /** Returns 1 if the write side ended at once. */
  shutdown(request: HandleRequest): number;
  close(): void;
  /** Those of TCP alone. */
  reset?(): number;
  setNoDelay?(on: boolean): number;
  getpeername?(into: HandleAddress): number;
}

/** What {@link StreamHandle.getpeername} fills in. */
export interface HandleAddress {
  address?: string;
  port?: number;
  family?: string;
}

/** The parts of Node's binding `stream_wrap` that a stream over a handle needs. */
export interface StreamWrap {
  readonly WriteWrap: new () => HandleRequest;
  readonly ShutdownWrap: new () => HandleRequest;
  readonly streamBaseState: ArrayLike<number>;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

let wrap: StreamWrap | undefined;

/**
 * The binding. Undefined on other runtimes, under the permission model, where a deprecation ends the process, and where Node
 * has changed it.
 */
export function streamWrap(): StreamWrap | undefined {
  return (wrap ??= bindingOf(process as unknown as Host));
}

interface Host {
  /** Whether a deprecation ends the process; to look the binding up is one that is pending. */
  readonly throwDeprecation?: boolean;
  binding?(name: string): Partial<StreamWrap>;
  readonly versions: Readonly<Record<string, string | undefined>>;
}

function bindingOf(host: Host): StreamWrap | undefined {
  // Other runtimes have a `process.binding` too, which is something else.
  if (host.versions.bun !== undefined || host.versions.deno !== undefined) return undefined;
  if (host.throwDeprecation === true) return undefined;
  try {
    const found = host.binding?.("stream_wrap");
    return isWhole(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(found: Partial<StreamWrap> | undefined): found is StreamWrap {
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found ?? {};
  return (
    typeof WriteWrap === "function" &&
    typeof ShutdownWrap === "function" &&
    typeof streamBaseState?.[kReadBytesOrError!] === "number" &&
    typeof streamBaseState[kLastWriteWasAsync!] === "number"
  );
}

/** Whether this is the handle of a connection that a {@link StreamWrap} fits. */
export function isStreamHandle(handle: unknown): handle is StreamHandle {
  const { useUserBuffer, readStart, readStop, writeBuffer, writev, shutdown, close } = (handle ??
    {}) as Partial<StreamHandle>;
  return [useUserBuffer, readStart, readStop, writeBuffer, writev, shutdown, close].every(
    (method) => typeof method === "function",
  );
}

/** System errors, which differ from one platform to the next. Node.js makes its map anew at each call: 10 µs. */
const errors = getSystemErrorMap();
const numbers = new Map<string, number>();
for (const [number, [name]] of errors) numbers.set(name, number);

/** What a read reports at the end of the peer's bytes. */
export const endOfFile: number | undefined = numbers.get("EOF");

/** A call needs a connection, and there is none any more. */
export const notConnected: number | undefined = numbers.get("ENOTCONN");

/** The error that Node.js makes of a status. */
export function systemError(status: number, syscall: string): Error {
  const code = errors.get(status)?.[0] ?? `E${status}`;
  return Object.assign(withoutStack(`${syscall} ${code}`), { errno: status, code, syscall });
}

/** The error of a connection that the peer has reset, where the system gave none. */
export function resetError(): Error {
  return systemError(numbers.get("ECONNRESET")!, "read");
}
