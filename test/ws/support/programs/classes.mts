// Classes as values and types: subclasses, and functions over them.
import { EventEmitter } from "node:events";
import { IncomingMessage, type Server as HttpServer } from "node:http";
import * as everything from "ws";
import WebSocket, { WebSocketServer, type Server } from "ws";

class Client extends WebSocket {
  id = 1;

  constructor(url: string | URL, protocols?: string | string[], options?: WebSocket.ClientOptions) {
    super(url, protocols, options);
    this.on("open", () => console.log(this.id));
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
  }
}

class Accepted extends WebSocket {
  readonly rooms: Set<string> = new Set();
}

class Rooms extends WebSocketServer<typeof Accepted> {
  override shouldHandle(request: IncomingMessage): boolean {
    return request.url === "/rooms";
  }
}
const rooms = new Rooms({ noServer: true, WebSocket: Accepted });
rooms.on("connection", (ws) => ws.rooms.add("all"));
for (const client of rooms.clients) client.rooms.clear();

class Request extends IncomingMessage {
  user?: string;
}
const typed = new WebSocketServer<typeof Accepted, typeof Request>({ noServer: true });
typed.on("connection", (ws, request) => ws.rooms.add(request.user ?? ""));
const ofTyped: everything.ServerOptions<typeof Accepted, typeof Request> = {
  handleProtocols: (protocols, { user }) => (user !== undefined && protocols.has(user) ? user : false),
};

// As values and as types.
const Constructor: typeof WebSocket = Accepted;
const made: InstanceType<typeof WebSocket> = new Constructor("ws://a.example");
const server = new WebSocketServer({ port: 0 });
const alike: Server = server;
const emitters: EventEmitter[] = [made, server, alike, new Client("ws://a.example")];
const data: WebSocket.RawData | WebSocket.Data = Buffer.from("x");
const options: WebSocket.ServerOptions = { noServer: true };
const verify: WebSocket.VerifyClientCallbackSync = ({ req }) => req.url === "/";
const verifyLater: WebSocket.VerifyClientCallbackAsync<Request> = ({ req }, callback) =>
  callback(req.user !== undefined);
const onMessage = (event: WebSocket.MessageEvent): void => console.log(event.data);
const onError = (event: WebSocket.ErrorEvent): void => console.log(event.error.message);
const address = server.address() as WebSocket.AddressInfo;
const finish: WebSocket.FinishRequestCallback = (request, socket) => request.end(socket.url);
const names: (keyof WebSocket.WebSocketEventMap)[] = ["open", "close", "message", "error"];
const of: everything.WebSocket = new everything.WebSocket("ws://a.example");
const byDefault: everything.default = new everything.default("ws://a.example");

function attach(http: HttpServer, Class: typeof WebSocketServer = WebSocketServer): WebSocketServer {
  return new Class({ server: http });
}
function send(ws: WebSocket | Accepted, message: WebSocket.Data): Promise<void> {
  return new Promise((resolve, reject) => ws.send(message, (error) => (error ? reject(error) : resolve())));
}
const mocked: Pick<WebSocket, "send" | "close" | "readyState"> = { send() {}, close() {}, readyState: WebSocket.OPEN };
type Listener = Parameters<WebSocket["send"]>[0];

export { address, attach, byDefault, data, emitters, finish, mocked, names, of, ofTyped, onError, onMessage };
export { options, send, verify, verifyLater };
export type { Listener };
