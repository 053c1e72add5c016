import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { fromDuplex } from "../../../../src/core/index.ts";
import { connectBy } from "../../../../src/net/connect.ts";
import { scrubReads } from "../../../../src/net/sockets/read-block.ts";
import type { Way } from "../../../../src/net/sockets/transport.ts";
import { byteStreamSuite, type Connection, type Need } from "../../../core/support/byte-stream-suite.ts";
import { connection, withPath } from "../../support/sockets.ts";

scrubReads(true);

const noReset = "a Unix socket has no reset";
const ownMemory = "'data' events bring memory that nothing else uses";

async function connected(way: Way, path?: string): Promise<Connection> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  const taken = once(server, "connection") as Promise<[Socket]>;
  const target =
    path === undefined ? { port: (server.address() as { port: number }).port, host: "127.0.0.1" } : { unix: path };
  const [stream, [raw]] = await Promise.all([connectBy(way, target), taken]);
  server.close();
  return { stream, peer: fromDuplex(raw), endPeer: () => void raw.end(), reset: () => void raw.resetAndDestroy() };
}

const ways = ["handle", "onread", "data"] satisfies Way[];

for (const way of ways) {
  const skips: Partial<Record<Need, string>> = way === "data" ? { "late-look": ownMemory } : {};
  byteStreamSuite(`SocketStream, accepted, TCP, ${way}`, () => connection(undefined, way), skips);
  const unix = { ...skips, reset: noReset, "show-reset": noReset };
  byteStreamSuite(
    `SocketStream, accepted, Unix, ${way}`,
    () => withPath((path) => connection(undefined, way, path)),
    unix,
  );
  byteStreamSuite(`SocketStream, connected, TCP, ${way}`, () => connected(way), skips);
  byteStreamSuite(`SocketStream, connected, Unix, ${way}`, () => withPath((path) => connected(way, path)), unix);
}
