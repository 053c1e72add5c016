// The option `onread` of `net.Socket` is the fastest way to read: all sockets share one buffer, and a read needs no
// stream machinery and no allocation. Only the constructor takes it, so an accepted socket must be built here, from the
// handle that the listening handle reports. That part of Node is undocumented: only this file uses it, checks that it
// is as expected, and falls back to the ordinary events.
import { Socket, type OnReadOpts, type Server, type SocketConstructorOpts } from "node:net";

/** The most bytes that one read takes: as many as libuv would allocate for it. */
const readSize = 64 * 1024;

/** libuv's handle of an accepted connection. */
export interface Handle {
  /** Makes a socket read into this memory. `onread` does not work without it. */
  useUserBuffer?(buffer: Uint8Array): void;
}

/** Options of the constructor of `net.Socket`; published types lack `handle` or differ in its type. */
export interface SocketOptions {
  handle?: Handle;
  onread?: OnReadOpts;
}

/**
 * A socket built with these options, whose write side stays open when the read side ends. The last three options are what
 * Node.js sets in its copy in any case. Without them here, V8 looks up each of 31 options anew for each socket: more than a
 * third of the instructions of a short connection.
 */
export function makeSocket({ handle, onread }: SocketOptions): Socket {
  const options = { handle, onread, allowHalfOpen: true, emitClose: false, autoDestroy: true, decodeStrings: false };
  return new Socket(options as SocketConstructorOpts);
}

interface ListeningHandle {
  onconnection?: (this: unknown, status: number, handle: Handle | undefined) => void;
}

let block: Uint8Array<ArrayBuffer> | undefined;
let scrubbing = false;
let works: boolean | undefined;

/**
 * The option `onread` for a socket. A read's bytes are in the shared buffer, from which `received` may {@link lend}
 * them.
 */
export function onread(received: (size: number) => boolean): {
  buffer: Uint8Array;
  callback: (size: number) => boolean;
} {
  return { buffer: (block ??= new Uint8Array(readSize)), callback: received };
}

/**
 * The bytes of the read that `onread` reports. They are valid until {@link takenBack}, which is called before
 * `received` returns.
 */
export function lend(size: number): Uint8Array {
  // The constructor takes a third of the time of `subarray`.
  return new Uint8Array(block!.buffer, 0, size);
}

/** Ends the loan; returns what `received` has to return. */
export function takenBack(size: number): boolean {
  if (scrubbing) block!.fill(0xdb, 0, size);
  // Never false: if the stream was paused and resumed meanwhile, false would stop reading for good.
  return true;
}

/** For tests: whether the shared buffer is overwritten after each read, to expose late use of borrowed bytes. */
export function scrubReads(on: boolean): void {
  scrubbing = on;
}

/** Whether sockets take the option `onread` on this platform. Checked once, without opening a connection. */
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
 * Takes over a listening server's new connections: `accept` gets each handle before a socket is built from it. Returns
 * whether it could; if not, nothing has changed.
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
