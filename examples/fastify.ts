// A WebSocket chat on the port of a Fastify application.
//   npm run example fastify -- 8080
import Fastify from "fastify";
import { mount } from "serval";

const app = Fastify();
app.get("/", () => "There is a chat at /chat\n");

const chat = mount(app.server, {
  path: "/chat",
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message); // to everyone else
  },
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on ${await app.listen({ port: Number(process.argv[2] ?? 8080) })}`);

async function stop(): Promise<void> {
  setTimeout(() => app.server.closeAllConnections(), 10_000).unref(); // unfinished requests are cut off
  await chat.drain({ timeout: 10_000 }); // open WebSockets get 1001, new ones 503
  await app.close();
}
