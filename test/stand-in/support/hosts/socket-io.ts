import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "serval/ws";
import { Server } from "socket.io";

/** A Socket.IO server, whose WebSockets are serval's. */
export async function start(perMessageDeflate = false) {
  const http = createServer();
  const io = new Server(http, { wsEngine: WebSocketServer, perMessageDeflate });

  io.on("connection", (socket) => {
    socket.on("join", (room: string, joined: () => void) => {
      void socket.join(room);
      joined();
    });
    socket.on("say", (room: string, text: string) => io.to(room).emit("said", text));
    socket.on("echo", (data: unknown, reply: (data: unknown) => void) => reply(data));
    socket.on("leave", () => socket.disconnect());
  });

  http.listen(0);
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, io, close: () => io.close() };
}
