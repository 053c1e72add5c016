// Servers for a client to connect to: real ones, on loopback.
import { createHash } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import { connect, createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { acceptKey } from "../../../src/websocket/handshake/accept-key.ts";
import { localhost } from "../../support/localhost.ts";
import { listening, type Listening } from "../../support/listening.ts";

/** What a request asked for. */
export interface Asked {
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The name that the client's TLS asked for (SNI), where there is TLS; false for none. */
  readonly serverName: string | false | undefined;
}

/** An HTTP server that listens. */
export interface Answering extends Listening {
  /** What it was asked for. */
  readonly asked: readonly Asked[];
}

/** A server that takes connections and all that they send, and says nothing. */
export function mute(): Promise<Listening> {
  // What reads nothing does not see the end.
  return listening(createServer((socket) => socket.resume()));
}

/**
 * A WebSocket server that opens, and then answers nothing: no message, no ping, no close. With `isLoud` it sends messages
 * all the time.
 */
export function unresponsive({ isLoud = false } = {}): Promise<Listening> {
  const server = http.createServer();
  server.on("upgrade", ({ headers }: http.IncomingMessage, socket: Socket) => {
    const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const key = accept.digest("base64");
    // Half-open sockets are what node:http has after an upgrade.
    socket.on("end", () => socket.end()).resume();
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`);
    socket.write(`Sec-WebSocket-Accept: ${key}\r\n\r\n`);
    if (!isLoud) return;
    const shout = (): void => {
      // A text message of one character, a thousand times; the next ones when the client has taken these.
      if (socket.writable) socket.write("\x81\x01x".repeat(1000), "latin1", () => setImmediate(shout));
    };
    shout();
  });
  return listening(server);
}

function whatAsks({ url, headers, socket }: http.IncomingMessage): Asked {
  return { target: url!, headers: headers, serverName: (socket as TLSSocket).servername as string | false | undefined };
}

/** What a request is answered with. */
export type Answer = readonly [status: number, headers?: http.OutgoingHttpHeaders, body?: string];

/** An HTTP server without WebSockets: it answers an upgrade as it answers everything else. */
export async function answering(answer: (asked: Asked) => Answer, { secure = false } = {}): Promise<Answering> {
  const asked: Asked[] = [];
  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const one = whatAsks(request);
    asked.push(one);
    const [status, headers, body = ""] = answer(one);
    response.writeHead(status, { Connection: "close", ...headers }).end(body);
  };
  const server = secure ? https.createServer(localhost, handle) : http.createServer(handle);
  return Object.assign(await listening(server), { asked });
}

/** A WebSocket server, of `ws`, that echoes. */
export async function echoing({
  secure = false,
  host = "127.0.0.1",
  perMessageDeflate = false as boolean | PerMessageDeflateOptions,
} = {}): Promise<Answering> {
  const asked: Asked[] = [];
  const server = secure ? https.createServer(localhost) : http.createServer();
  const sockets = new WebSocketServer({ server: server as http.Server, perMessageDeflate });
  sockets.on("connection", (ws, request) => {
    asked.push(whatAsks(request));
    ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
    ws.on("error", () => {});
  });
  return Object.assign(await listening(server, host), { asked });
}

/** A server that opens WebSockets, and then says nothing and answers nothing, as after a lost network. */
export function silent(): Promise<Listening> {
  const server = http.createServer();
  server.on("upgrade", ({ headers }, socket) => {
    const accept = acceptKey(headers["sec-websocket-key"]!);
    const fields = ["Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`];
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.resume().write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join("\r\n")}\r\n\r\n`);
  });
  return listening(server);
}

/** An HTTP proxy: it opens a tunnel to whatever it is asked for. */
export async function proxying(): Promise<Answering> {
  const asked: Asked[] = [];
  const server = http.createServer();
  server.on("connect", (request, socket) => {
    asked.push(whatAsks(request));
    const [host, port] = request.url!.split(":");
    const other = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      other.pipe(socket).pipe(other);
    });
    for (const one of [other, socket]) {
      one.on("error", () => {});
      one.on("close", () => (one === socket ? other : socket).destroy());
    }
  });
  return Object.assign(await listening(server), { asked });
}
