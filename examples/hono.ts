// A Hono application and a WebSocket chat, both on this server.
//   npm run example hono -- 8080
import { Hono } from "hono";
import { http, serve, type server } from "serval";

const app = new Hono<{ Bindings: server.FetchInfo }>();
app.get("/", (c) => c.text(`There is a chat at /chat, ${c.env.peer?.address}\n`));

const chat = await serve({
  port: Number(process.argv[2] ?? 8080),
  fetch: app.fetch,
  upgrade(request) {
    return request.path === "/chat" ? undefined : new http.Response({ status: 404 });
  },
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message); // to everyone else
  },
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on ${chat.url}`);

async function stop(): Promise<void> {
  await chat.drain({ timeout: 10_000 }); // open WebSockets get 1001, new ones 503
}
