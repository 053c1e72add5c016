// A server as most programs have it.
import { createServer, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import WebSocket, { WebSocketServer, type RawData, type ServerOptions } from "ws";

const wss = new WebSocketServer({ port: 8080, maxPayload: 1024, perMessageDeflate: { threshold: 1024 } }, () => {});
wss.on("connection", (ws, request) => {
  const { remoteAddress } = request.socket;
  ws.on("error", console.error);
  ws.on("message", (data, isBinary) => {
    const text: string = data.toString();
    for (const client of wss.clients) {
      if (client !== ws && client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
    if (isBinary) ws.send(`${remoteAddress}: ${text}`, (error) => error?.message);
  });
  ws.on("message", function message(this: WebSocket, data: RawData) {
    if (Buffer.isBuffer(data)) this.send(data);
    else if (Array.isArray(data)) this.send(Buffer.concat(data));
    else this.send(new Uint8Array(data));
  });
  ws.on("close", (code, reason) => console.log(code.toFixed(), reason.toString("utf8")));
  ws.once("pong", (payload) => payload.byteLength);
  ws.ping();
  ws.ping("beat", false, (error) => console.error(error));
  ws.send("text");
  ws.send(new ArrayBuffer(1), { compress: false, fin: true, mask: false }, () => {});
  ws.close(1000, "bye");
});
wss.on("headers", (headers, request) => headers.push(`X-URL: ${request.url}`));
wss.on("wsClientError", (error, socket, request) => socket.end(`${error.message} ${request.method}`));
wss.on("listening", () => console.log(wss.address()));
wss.once("error", (error) => console.error(error.stack));
wss.close((error) => console.error(error));

// Upgrades by the program itself, and a heartbeat.
const server = createServer();
const own = new WebSocketServer({ noServer: true, clientTracking: false, WebSocket });
server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  if (!own.shouldHandle(request)) return socket.destroy();
  own.handleUpgrade(request, socket, head, (ws, req) => own.emit("connection", ws, req));
});

interface Alive extends WebSocket {
  isAlive: boolean;
}
const beat = setInterval(() => {
  for (const ws of own.clients as Set<Alive>) {
    if (!ws.isAlive) ws.terminate();
    ws.isAlive = false;
    ws.ping();
  }
}, 30_000);
own.on("close", () => clearInterval(beat));
own.off("close", () => {});
own.removeAllListeners("connection");

// Options that are put together elsewhere.
const options: ServerOptions = { server, path: "/ws", backlog: 10, host: "localhost", skipUTF8Validation: true };
options.verifyClient = (info: { origin: string; secure: boolean; req: IncomingMessage }) =>
  info.secure && info.origin === info.req.headers.origin;
options.verifyClient = (info, callback) => callback(info.secure, 401, "no", { "www-authenticate": "Basic" });
options.handleProtocols = (protocols, request) => (request.url === "/" ? [...protocols][0]! : false);
export const third: WebSocketServer = new WebSocketServer(options);
third.options.path = third.path;

// @ts-expect-error: a port is a number
new WebSocketServer({ port: "8080" });
// @ts-expect-error: the request comes second
wss.on("connection", (ws, request) => request.send("x"));
