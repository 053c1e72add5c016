import type { Duplex } from "node:stream";

/** The socket of an upgrade as it was before other listeners saw it, to tell whether one of them has answered. */
export class SocketSnapshot {
  readonly #socket: Duplex;
  readonly #written: number | undefined;
  readonly #flowing: boolean | null;
  readonly #readers: number;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#written = bytesWritten(socket);
    this.#flowing = socket.readableFlowing;
    this.#readers = readers(socket);
  }

  /**
   * Whether the socket has been ended, written to, or read from. While `node:http` still writes responses to it
   * (`isWriting`), bytes tell nothing. A listener for errors is no sign either: frameworks add one to the sockets of
   * upgrades that they leave to others.
   */
  isTaken(isWriting: boolean): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    if (!isWriting && bytesWritten(socket) !== this.#written) return true;
    return socket.readableFlowing !== this.#flowing || readers(socket) > this.#readers;
  }
}

/** All bytes that were passed to a socket of Node.js, whether they have left or not. */
function bytesWritten(socket: Duplex): number | undefined {
  return (socket as { bytesWritten?: number }).bytesWritten;
}

function readers(socket: Duplex): number {
  return socket.listenerCount("data") + socket.listenerCount("readable") + socket.listenerCount("end");
}
