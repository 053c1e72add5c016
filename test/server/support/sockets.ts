// Clients of a server over real sockets, that speak in bytes.
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { serve, type ServeOptions, type Server } from "../../../src/server/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { localhost, renewed } from "../../support/localhost.ts";

/** A socket, what it has received, and its end, whatever that is. */
export interface Dialed {
  readonly socket: net.Socket;
  readonly received: string;
  readonly closed: Promise<void>;
}

/** Keeps what a socket receives. */
function watched(socket: net.Socket): Dialed {
  const state = {
    socket,
    received: "",
    closed: new Promise<void>((resolve) => void socket.once("close", () => resolve())),
  };
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => (state.received += chunk.toString("latin1")));
  return state;
}

/** Connects to a server, and sends bytes. */
export async function dial(
  { address: { port, unix } }: Pick<Server, "address">,
  bytes: Uint8Array | string = "",
): Promise<Dialed> {
  const dialed = watched(net.connect(unix === undefined ? { port: port!, host: "127.0.0.1" } : { path: unix }));
  await once(dialed.socket, "connect");
  if (bytes.length > 0) dialed.socket.write(bytes);
  return dialed;
}

/** Speaks TLS, on a connection of its own or on a socket that is there; fulfils with the subject of the certificate too. */
export async function dialTls(
  server: Pick<Server, "port">,
  socket?: net.Socket,
): Promise<Dialed & { readonly subject: string }> {
  const where = socket === undefined ? { port: server.port!, host: "127.0.0.1" } : { socket };
  const secure = tls.connect({ ...where, ca: [localhost.cert, renewed.cert], servername: "localhost" });
  await once(secure, "secureConnect");
  return Object.assign(watched(secure), { subject: String(secure.getPeerCertificate().subject.CN) });
}

/** A server on this machine, with a clock that stands still; at the end nothing of it is left. */
export async function serving<Data>(
  options: ServeOptions<Data>,
  use: (server: Server<Data>, clock: VirtualClock) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const server = await serve<Data>({ port: 0, host: "127.0.0.1", clock, ...options });
  try {
    await use(server, clock);
  } finally {
    const drained = server.drain({ timeout: 0 });
    await clock.advance(0);
    await drained;
  }
}
