// The option `onread` of `net.Socket` is the fastest way to read: all sockets share one buffer, and a read needs no
// stream machinery and no allocation. Only the constructor takes it, so an accepted socket must be built here, from the
// handle that the listening handle reports. That part of Node is undocumented: only this file uses it, checks that it
// is as expected, and falls back to the ordinary events.
import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";
import { readBlock } from "./read-block.ts";
import type { StreamHandle } from "./stream-handle.ts";

/** Options of the constructor of `net.Socket`; published types lack `handle` or differ in its type. */
export interface SocketOptions {
  handle?: StreamHandle;
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

let works: boolean | undefined;

/**
 * The option `onread` for a socket. A read's bytes are in the shared block, from which `received` may lend them. Always
 * return true from it: if the stream was paused and resumed meanwhile, false would stop reading for good.
 */
export function onread(received: (size: number) => true): OnReadOpts {
  return { buffer: readBlock(), callback: received };
}

/** Whether sockets take the option `onread` on this platform. Checked once, without opening a connection. */
export function hasOnread(): boolean {
  works ??= takesOnread();
  return works;
}

function takesOnread(): boolean {
  const option = onread(() => true);
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
