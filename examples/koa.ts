// A WebSocket chat on the port of a Koa application.
//   npm run example koa -- 8080
import Koa from "koa";
import { mount } from "serval";

const app = new Koa();
app.use((context) => {
  if (context.path === "/") context.body = "There is a chat at /chat\n";
});
const server = app.listen(Number(process.argv[2] ?? 8080));
process.on("SIGINT", stop).on("SIGTERM", stop);
server.on("listening", () => console.log("listening on", server.address()));

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
