import type { ConnectionOptions } from "../../../src/ws/opening.ts";
import { PerMessageDeflate } from "../../../src/ws/permessage-deflate.ts";
import type { ClientOptions } from "../../../src/ws/types.ts";
import { WebSocket } from "../../../src/ws/web-socket.ts";
import { duplexPair, type End } from "./duplex.ts";

/** Options of a {@link wsPair}. */
interface PairOptions {
  readonly server?: ConnectionOptions;
  readonly client?: ConnectionOptions;
  /** Whether compression is negotiated, with these parameters. */
  readonly deflate?: Record<string, true | number>;
}

/** A server's and a client's WebSocket, open over a connection in memory. */
export function wsPair({ server = {}, client = {}, deflate }: PairOptions = {}): {
  server: WebSocket;
  client: WebSocket;
  ends: { server: End; client: End };
} {
  const [serverEnd, clientEnd] = duplexPair();
  const open = (isServer: boolean, end: End, given: ConnectionOptions): WebSocket => {
    const options = { autoPong: true, ...given };
    const ws = new WebSocket(null, undefined, options as ClientOptions);
    ws._isServer = isServer;
    if (deflate !== undefined) {
      const extension = new PerMessageDeflate({ isServer });
      extension.params = deflate;
      ws._extensions = { "permessage-deflate": extension };
    }
    ws.setSocket(end, Buffer.alloc(0), options);
    return ws;
  };
  return {
    server: open(true, serverEnd, server),
    client: open(false, clientEnd, client),
    ends: { server: serverEnd, client: clientEnd },
  };
}

/** When it has emitted `close`, whatever else before. */
export const closed = (ws: WebSocket): Promise<void> =>
  new Promise((resolve) => void ws.once("close", () => resolve()));
