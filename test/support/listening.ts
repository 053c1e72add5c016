import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { until } from "./until.ts";

/** A server of Node's that listens on loopback. At the end it waits until the client has let go of every connection. */
export interface Listening extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** How many connections it has, and how many it has ever taken. */
  readonly connections: number;
  readonly accepted: number;
}

/** Lets a server listen. */
export async function listening(server: Server, host = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      await until(() => sockets.size === 0);
      server.close();
      await once(server, "close");
    },
  };
}
