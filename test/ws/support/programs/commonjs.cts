// CommonJS.
import WebSocket = require("ws");
import { WebSocketServer, type RawData } from "ws";

const ws: WebSocket = new WebSocket("ws://a.example");
ws.on("message", (data: RawData, isBinary) => console.log(data.toString(), isBinary));
ws.onmessage = ({ data }: WebSocket.MessageEvent) => console.log(data);
const server: WebSocket.Server = new WebSocket.Server({ port: 0 });
const another: WebSocketServer = new WebSocketServer({ noServer: true });
const alike: WebSocket.WebSocketServer = another;
const options: WebSocket.ServerOptions<typeof WebSocket> = { noServer: true };
class Client extends WebSocket {}
class Own extends WebSocket.Server {}
const state: boolean = ws.readyState === WebSocket.OPEN;
const { createWebSocketStream } = WebSocket;
const again: WebSocket.WebSocket = new WebSocket.WebSocket("ws://a.example");
const stream = WebSocket.createWebSocketStream(again);
// @ts-expect-error: text is not a number
const wrong: number = ws.protocol;
export = { alike, another, Client, createWebSocketStream, options, Own, server, state, stream, wrong };
