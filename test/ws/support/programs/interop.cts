// CommonJS that is written as a module.
import WebSocket, { WebSocketServer } from "ws";
import * as everything from "ws";

export const client: WebSocket = new WebSocket("ws://a.example");
export const server: WebSocketServer = new WebSocketServer({ port: 0 });
export const options: everything.ClientOptions = { handshakeTimeout: 1 };
server.on("connection", (ws: WebSocket, request) => ws.send(request.url ?? ""));
// @ts-expect-error: a time is a number
options.handshakeTimeout = "1";
