// Node's sockets read best through the option `onread` of `net.Socket`: into one buffer for the whole process, with no
// stream machinery and no allocation for a read. Its constructor alone takes it, so an accepted socket has to be built
// here, from the handle that the listening one reports. The latter is not part of Node's documented interface: this
// file alone knows of it, checks that all is where it is expected, and leaves it to the ordinary events if not.
import { Socket, type OnReadOpts, type Server, type SocketConstructorOpts } from "node:net";

/** How many bytes one read takes at most: as many as libuv would allocate for it. */
const readSize = 64 * 1024;

/** An accepted connection as libuv has it. */
export interface Handle {
  /** Tells a socket to read into this memory. Where it is missing, `onread` would not work. */
  useUserBuffer?(buffer: Uint8Array): void;
}

/** What the constructor of `net.Socket` takes; some published types lack `handle`, in others it is of another type. */
export interface SocketOptions {
  handle?: Handle;
  onread?: OnReadOpts;
  allowHalfOpen?: boolean;
}

/** A socket built with these options. */
export function makeSocket(options: SocketOptions): Socket {
  return new Socket(options as SocketConstructorOpts);
}

interface ListeningHandle {
  onconnection?: (this: unknown, status: number, handle: Handle | undefined) => void;
}

let block: Uint8Array<ArrayBuffer> | undefined;
let scrubbing = false;
let works: boolean | undefined;

/** The option `onread`: each read's bytes are in the buffer that all share, and `received` may {@link lend} them. */
export function onread(received: (size: number) => boolean): {
  buffer: Uint8Array;
  callback: (size: number) => boolean;
} {
  return { buffer: (block ??= new Uint8Array(readSize)), callback: received };
}

/** The bytes of the read that `onread` has told of. They are gone when they are {@link takenBack}, before it returns. */
export function lend(size: number): Uint8Array {
  // The constructor costs a third of what `subarray` does.
  return new Uint8Array(block!.buffer, 0, size);
}

/** The end of the loan; what `received` is to return. */
export function takenBack(size: number): boolean {
  if (scrubbing) block!.fill(0xdb, 0, size);
  // Never false: that would stop the reading for good if the stream was paused and resumed meanwhile.
  return true;
}

/** For tests: whether the shared buffer is overwritten after each read, so that a look at borrowed bytes that comes too late shows. */
export function scrubReads(on: boolean): void {
  scrubbing = on;
}

/** Whether this platform's sockets take the option `onread`. Looked at once, without opening anything. */
export function hasOnread(): boolean {
  works ??= takesOnread();
  return works;
}

function takesOnread(): boolean {
  const option = onread(takenBack);
  try {
    const socket = makeSocket({ onread: option });
    const fields = socket as unknown as Record<symbol, unknown>;
    const taken = Object.getOwnPropertySymbols(socket).some((symbol) => fields[symbol] === option.buffer);
    socket.destroy();
    return taken;
  } catch {
    return false;
  }
}

/**
 * Takes over what a server that listens does with new connections: `accept` gets the handle of each, before any socket
 * is built from it. Returns whether that could be done; if not, nothing has changed.
 */
export function takeConnections(server: Server, accept: (handle: Handle) => void): boolean {
  const listening = (server as Server & { _handle?: ListeningHandle | null })._handle;
  const original = listening?.onconnection;
  if (typeof original !== "function" || !hasOnread()) return false;
  listening!.onconnection = function (status, handle) {
    if (status === 0 && typeof handle?.useUserBuffer === "function") accept(handle);
    else original.call(this, status, handle);
  };
  return true;
}
