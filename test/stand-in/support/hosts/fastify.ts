import type { AddressInfo } from "node:net";
import websocket from "@fastify/websocket";
import Fastify from "fastify";

/** Fastify's plugin; its package.json has "overrides": { "@fastify/websocket": { "ws": "npm:serval-ws" } }. */
export async function start() {
  const app = Fastify();
  await app.register(websocket, { options: { maxPayload: 64 * 1024 } });
  app.get("/echo", { websocket: true }, (socket, request) => {
    socket.on("message", (data, isBinary) => {
      if (String(data) === "bye") socket.close(4000, `bye ${request.headers["user-agent"]}`);
      else socket.send(data, { binary: isBinary });
    });
  });
  app.get(
    "/members",
    { websocket: true, preValidation: async (_, reply) => reply.code(401).send("members only") },
    () => {},
  );
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, app, close: async () => app.close() };
}
