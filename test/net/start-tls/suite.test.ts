import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { TLSSocket, createSecureContext } from "node:tls";
import { fromDuplex } from "../../../src/core/index.ts";
import { connectTls, startTls, toDuplex } from "../../../src/net/index.ts";
import { pair, type PairOptions } from "../../../src/testing/index.ts";
import { localhost } from "../../support/localhost.ts";
import { byteStreamSuite, type Connection } from "../../core/support/byte-stream-suite.ts";
import { turns } from "../../core/support/stream-operations.ts";

const ownMemory = "TLS decrypts into memory that nothing else uses";

async function direct(): Promise<Connection> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const { port } = server.address() as { port: number };
  const connecting = connectTls({ host: "127.0.0.1", port }, { ca: localhost.cert });
  const [raw] = await accepted;
  server.close();
  const socket = new TLSSocket(raw, { isServer: true, secureContext: createSecureContext(localhost) });
  const [stream] = await Promise.all([connecting, once(socket, "secure")]);
  // The server's session tickets are under way still; a reset that overtakes them is taken for an end by OpenSSL.
  await turns();
  return {
    stream,
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => void raw.resetAndDestroy(),
    release: () => void raw.destroy(),
  };
}

async function layered(options?: PairOptions): Promise<Connection> {
  const [ours, theirs] = pair(options);
  const socket = new TLSSocket(toDuplex(theirs), { isServer: true, secureContext: createSecureContext(localhost) });
  const [stream] = await Promise.all([startTls(ours, "localhost", { ca: localhost.cert }), once(socket, "secure")]);
  await turns();
  return {
    stream,
    peer: fromDuplex(socket),
    endPeer: () => void socket.end(),
    reset: () => theirs.reset(),
  };
}

byteStreamSuite("connectTls", direct, { "late-look": ownMemory });
byteStreamSuite("startTls over a pair", () => layered(), { "late-look": ownMemory });
byteStreamSuite("startTls over a pair, a few bytes at a time", () => layered({ maxRead: 701, maxWrite: 503 }), {
  "late-look": ownMemory,
});
