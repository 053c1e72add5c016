import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { fromDuplex } from "../../../src/core/index.ts";
import { localhost } from "../../support/localhost.ts";
import { socketPair } from "../../net/support/sockets.ts";
import { byteStreamSuite, type Connection } from "../support/byte-stream-suite.ts";
import { turns } from "../support/stream-operations.ts";

const ownMemory = "a Duplex brings memory that nothing else uses";

async function sockets(): Promise<Connection> {
  const [client, raw] = await socketPair();
  const reset = (): void => void raw.resetAndDestroy();
  return { stream: fromDuplex(client), peer: fromDuplex(raw), endPeer: () => void raw.end(), reset };
}

function passThroughs(): Connection {
  const there = new PassThrough();
  const back = new PassThrough();
  const ours = Duplex.from({ readable: back, writable: there });
  const theirs = Duplex.from({ readable: there, writable: back });
  return {
    stream: fromDuplex(ours),
    peer: fromDuplex(theirs),
    endPeer: () => void theirs.end(),
    reset: () => void ours.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" })),
  };
}

async function secured(role: "server" | "client"): Promise<Connection> {
  const [client, accepted] = await socketPair();
  const server = new TLSSocket(accepted, { isServer: true, secureContext: createSecureContext(localhost) });
  const secure = connect({ socket: client, ca: localhost.cert, servername: "localhost" });
  await Promise.all([once(server, "secure"), once(secure, "secureConnect")]);
  // The server's session tickets are under way still; a reset that overtakes them is taken for an end by OpenSSL.
  await turns();
  const [ours, theirs] = role === "server" ? [server, secure] : [secure, server];
  const raw = role === "server" ? client : accepted;
  return {
    stream: fromDuplex(ours),
    peer: fromDuplex(theirs),
    endPeer: () => void theirs.end(),
    reset: () => void raw.resetAndDestroy(),
    release() {
      client.destroy();
      accepted.destroy();
    },
  };
}

byteStreamSuite("fromDuplex(net.Socket)", sockets, { "late-look": ownMemory });
byteStreamSuite("fromDuplex(PassThroughs)", passThroughs, { "late-look": ownMemory });
const tls = { "late-look": ownMemory, "show-reset": "a TLSSocket does not let its user reset the socket below" };
byteStreamSuite("fromDuplex(TLSSocket), server", () => secured("server"), tls);
byteStreamSuite("fromDuplex(TLSSocket), client", () => secured("client"), tls);
