import { once } from "node:events";
import { rm, mkdtemp } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromDuplex, type ByteStream } from "../../../src/core/index.ts";
import type { Listener } from "../../../src/net/index.ts";
import { listenBy } from "../../../src/net/listen.ts";
import type { SocketStream } from "../../../src/net/sockets/socket-stream.ts";
import type { Way } from "../../../src/net/sockets/transport.ts";
import type { Connection } from "../../core/support/byte-stream-suite.ts";
import { deferred } from "../../support/quiet.ts";

/** Two ends of a TCP connection over loopback, as Node's own sockets: the one that connected, the one accepted. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Socket({ allowHalfOpen: true });
  const accepted = once(server, "connection") as Promise<[Socket]>;
  client.connect((server.address() as { port: number }).port, "127.0.0.1");
  const [[socket]] = await Promise.all([accepted, once(client, "connect")]);
  server.close();
  return [client, socket];
}

/** A connection that our listener has accepted, and the client's socket: over loopback, or a Unix socket. */
export async function accepted(way: Way = "handle", path?: string): Promise<[SocketStream, Socket, Listener]> {
  const { promise, resolve } = deferred<SocketStream>();
  const where = path === undefined ? { port: 0, host: "127.0.0.1" } : { unix: path };
  const listener = await listenBy(way, where, resolve);
  const socket = new Socket({ allowHalfOpen: true });
  socket.on("error", () => {});
  if (path === undefined) socket.connect(listener.port!, "127.0.0.1");
  else socket.connect(path);
  const [stream] = await Promise.all([promise, once(socket, "connect")]);
  await listener.close();
  return [stream, socket, listener];
}

/** The same for the suite of byte streams, with a layer on the accepted side. */
export async function connection(
  wrap: (stream: SocketStream) => ByteStream = (stream) => stream,
  way?: Way,
  path?: string,
): Promise<Connection> {
  const [stream, socket] = await accepted(way, path);
  return {
    stream: wrap(stream),
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** Runs `use` with a path where no Unix socket is yet, and removes what it leaves there. */
export async function withPath<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "serval-"));
  try {
    return await use(join(folder, "socket"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The last bytes and the end, or a reset: both are there before the event loop polls again. */
export function sendLast(raw: Socket, how: "reset" | "end"): void {
  raw.write("last");
  if (how === "reset") raw.resetAndDestroy();
  else raw.end();
}
