// A WebSocket chat on the port of Vite's development server, beside Vite's own WebSocket.
//   npm run example vite -- 8080
import { createServer } from "vite";
import { mount } from "serval";

const vite = await createServer({
  root: `${import.meta.dirname}/vite`,
  server: { port: Number(process.argv[2] ?? 8080) },
});

const chat = mount(vite.httpServer!, {
  path: "/chat",
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message); // to everyone else
  },
});
await vite.listen();
process.removeAllListeners("SIGTERM"); // Vite's own exits with 143, before the chat has ended
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log("listening on", vite.httpServer!.address());

async function stop(): Promise<void> {
  await chat.drain({ timeout: 10_000 }); // open WebSockets get 1001, new ones 503
  await vite.close();
}
