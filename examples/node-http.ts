// A WebSocket chat on the port of a server of node:http, or of node:https where there are a key and a certificate.
//   npm run example node-http -- 8080
//   npm run example node-http -- 8443 key.pem cert.pem
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { mount } from "serval";

const [port = "8080", key, cert] = process.argv.slice(2);
const server =
  key && cert ? https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }) : http.createServer();
server.on("request", (_request, response) => response.end("There is a chat at /chat\n"));
process.on("SIGINT", stop).on("SIGTERM", stop);
server.listen(Number(port), () => console.log("listening on", server.address()));

const chat = mount(server, {
  path: "/chat",
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message); // to everyone else
  },
});

async function stop(): Promise<void> {
  server.close(); // new connections are refused
  setTimeout(() => server.closeAllConnections(), 10_000).unref(); // unfinished requests are cut off
  await chat.drain({ timeout: 10_000 }); // open WebSockets get 1001, new ones 503
}
