// Clients, with all that their options have.
import { Agent } from "node:https";
import { once } from "node:events";
import WebSocket, {
  createWebSocketStream,
  type ClientOptions,
  type CloseEvent,
  type ErrorEvent,
  type MessageEvent,
  type PerMessageDeflateOptions,
} from "ws";

const deflate: PerMessageDeflateOptions = {
  zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 3 },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 10,
  concurrencyLimit: 10,
  threshold: 1024,
};
const options: ClientOptions = {
  headers: { authorization: "Bearer x" },
  origin: "https://a.example",
  perMessageDeflate: deflate,
  handshakeTimeout: 1000,
  followRedirects: true,
  maxRedirects: 3,
  maxPayload: 1,
  protocolVersion: 13,
  agent: new Agent(),
  rejectUnauthorized: false,
  ca: Buffer.from(""),
  cert: "",
  key: "",
  passphrase: "",
  autoPong: false,
  allowSynchronousEvents: true,
  skipUTF8Validation: true,
  family: 4,
  localAddress: "127.0.0.1",
  generateMask: (mask: Buffer) => void mask.fill(0),
  finishRequest: (request, websocket) => {
    request.setHeader("x", websocket.url);
    request.end();
  },
};
const ws: WebSocket = new WebSocket("wss://a.example/", ["a", "b"], options);
new WebSocket(new URL("ws://a.example"), { port: 1, host: "b.example", timeout: 1000 });
new WebSocket("ws+unix:/tmp/x", "protocol");
new WebSocket("ws://a.example");

ws.on("open", () => ws.send("text"));
ws.on("open", function open() {
  this.send(JSON.stringify({}));
});
ws.on("upgrade", (response) => console.log(response.headers["sec-websocket-protocol"]));
ws.on("unexpected-response", (request, response) => {
  response.resume();
  request.destroy();
});
ws.on("redirect", (url, request) => request.removeHeader(url));
ws.on("error", (error) => console.error(error.message));
ws.on("ping", (data) => ws.pong(data));
ws.addListener("message", (data, isBinary) => console.log(isBinary, data));
ws.on("something else", (anything) => anything.works());
await once(ws, "open");

ws.onopen = (event) => console.log(event.type, event.target.url);
ws.onmessage = (event: MessageEvent) => {
  if (typeof event.data === "string") JSON.parse(event.data);
};
ws.onmessage = ({ data }) => console.log(data.toString());
ws.onerror = ({ error, message }: ErrorEvent) => console.error(error.code, message);
ws.onclose = ({ code, reason, wasClean }: CloseEvent) => console.log(code, reason, wasClean);
ws.onclose = null;
const listener = (event: MessageEvent): void => console.log(event.data);
ws.addEventListener("message", listener, { once: true });
ws.removeEventListener("message", listener);
ws.addEventListener("close", ({ code }) => console.log(code));

ws.binaryType = "arraybuffer";
const states: number[] = [ws.CONNECTING, ws.OPEN, WebSocket.CLOSING, WebSocket.CLOSED];
const text: string = `${ws.protocol} ${ws.extensions} ${ws.url} ${ws.bufferedAmount} ${ws.isPaused}`;
switch (ws.readyState) {
  case WebSocket.OPEN:
    ws.pause();
    break;
  case WebSocket.CLOSED:
    ws.resume();
    break;
}
ws.close();
ws.terminate();
export { states, text };

const duplex = createWebSocketStream(ws, { encoding: "utf8", decodeStrings: false });
duplex.pipe(process.stdout);
duplex.on("data", (chunk: string) => duplex.write(chunk));

// @ts-expect-error: a close code is a number
ws.close("1000");
// @ts-expect-error: it can't be set
ws.protocol = "a";
// @ts-expect-error: there is no such event for a DOM listener
ws.addEventListener("ping", () => {});
