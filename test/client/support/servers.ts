// Servers for a client to connect to: real ones, on loopback.
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { localhost } from "../../support/localhost.ts";
import { until } from "../../core/support/stream-operations.ts";

/** What a request asked for. */
export interface Asked {
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The name that the client's TLS asked for (SNI), where there is TLS; false for none. */
  readonly serverName: string | false | undefined;
}

/** A server that listens, and knows its connections. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** How many there have been. */
  readonly accepted: number;
  /** What it was asked for, where it is an HTTP server. */
  readonly asked: readonly Asked[];
}

/** Lets a server listen on loopback. At the end it waits until the client has let go of every connection. */
export async function listening(
  server: Server,
  { asked = [], host = "127.0.0.1" }: { asked?: Asked[]; host?: string } = {},
): Promise<Listening> {
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
    port: (server.address() as AddressInfo).port,
    asked,
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

/** A server that takes connections and all that they send, and says nothing. */
export function mute(): Promise<Listening> {
  // What reads nothing does not see the end.
  return listening(createServer((socket) => socket.resume()));
}

function whatAsks({ url, headers, socket }: http.IncomingMessage): Asked {
  return { target: url!, headers: headers, serverName: (socket as TLSSocket).servername as string | false | undefined };
}

/** What a request is answered with. */
export type Answer = readonly [status: number, headers?: http.OutgoingHttpHeaders, body?: string];

/** An HTTP server without WebSockets: it answers an upgrade as it answers everything else. */
export function answering(answer: (asked: Asked) => Answer, { secure = false } = {}): Promise<Listening> {
  const asked: Asked[] = [];
  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const one = whatAsks(request);
    asked.push(one);
    const [status, headers, body = ""] = answer(one);
    response.writeHead(status, { Connection: "close", ...headers }).end(body);
  };
  return listening(secure ? https.createServer(localhost, handle) : http.createServer(handle), { asked });
}

/** A WebSocket server, of `ws`, that echoes. */
export function echoing({ secure = false, host = "127.0.0.1" } = {}): Promise<Listening> {
  const asked: Asked[] = [];
  const server = secure ? https.createServer(localhost) : http.createServer();
  const sockets = new WebSocketServer({ server: server as http.Server });
  sockets.on("connection", (ws, request) => {
    asked.push(whatAsks(request));
    ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
    ws.on("error", () => {});
  });
  return listening(server, { asked, host });
}
