// A WebSocket chat on the port of a Hono application that Hono's own server for Node.js serves.
//   npm run example hono-node-server -- 8080
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { mount } from "serval";

const app = new Hono();
app.get("/", (c) => c.text("There is a chat at /chat\n"));
process.on("SIGINT", stop).on("SIGTERM", stop);
const server = serve({ fetch: app.fetch, port: Number(process.argv[2] ?? 8080) }, (address) =>
  console.log("listening on", address),
);

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
  // Unfinished requests are cut off. Hono's type of a server may also be one of HTTP/2.
  if ("closeAllConnections" in server) setTimeout(() => server.closeAllConnections(), 10_000).unref();
  await chat.drain({ timeout: 10_000 }); // open WebSockets get 1001, new ones 503
}
