import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { fromDuplex, type ByteStream } from "../../../src/core/index.ts";
import { connectBy } from "../../../src/net/connect.ts";
import { listenBy } from "../../../src/net/listen.ts";
import { scrubReads } from "../../../src/net/onread.ts";
import type { ReadWay, SocketStream } from "../../../src/net/socket-stream.ts";
import { byteStreamSuite, type Connection, type Need } from "../../core/support/byte-stream-suite.ts";
import { withPath } from "../support/sockets.ts";

scrubReads(true);

const noReset = "a Unix socket has no reset";
const ownMemory = "'data' events bring memory that nothing else uses";

function connection(stream: ByteStream, raw: Socket): Connection {
  return { stream, peer: fromDuplex(raw), endPeer: () => void raw.end(), reset: () => void raw.resetAndDestroy() };
}

async function accepted(way: ReadWay, path?: string): Promise<Connection> {
  let take!: (stream: SocketStream) => void;
  const taken = new Promise<SocketStream>((resolve) => {
    take = resolve;
  });
  const where = path === undefined ? { port: 0, host: "127.0.0.1" } : { unix: path };
  const listener = await listenBy(way, where, (stream) => take(stream));
  const raw = new Socket({ allowHalfOpen: true });
  if (path === undefined) raw.connect(listener.port!, "127.0.0.1");
  else raw.connect(path);
  const [stream] = await Promise.all([taken, once(raw, "connect")]);
  await listener.close();
  return connection(stream, raw);
}

async function connected(way: ReadWay, path?: string): Promise<Connection> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  const taken = once(server, "connection") as Promise<[Socket]>;
  const target =
    path === undefined ? { port: (server.address() as { port: number }).port, host: "127.0.0.1" } : { unix: path };
  const [stream, [raw]] = await Promise.all([connectBy(way, target), taken]);
  server.close();
  return connection(stream, raw);
}

for (const way of ["onread", "data"] satisfies ReadWay[]) {
  const skips: Partial<Record<Need, string>> = way === "data" ? { "late-look": ownMemory } : {};
  byteStreamSuite(`SocketStream, accepted, TCP, ${way}`, () => accepted(way), skips);
  byteStreamSuite(`SocketStream, connected, TCP, ${way}`, () => connected(way), skips);
  const unix = { ...skips, reset: noReset };
  byteStreamSuite(`SocketStream, accepted, Unix, ${way}`, () => withPath((path) => accepted(way, path)), unix);
  byteStreamSuite(`SocketStream, connected, Unix, ${way}`, () => withPath((path) => connected(way, path)), unix);
}
