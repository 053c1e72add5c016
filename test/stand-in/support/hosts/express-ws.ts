import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import expressWs from "express-ws";

/** Express with routes for WebSockets; its package.json has "overrides": { "express-ws": { "ws": "npm:serval-ws" } }. */
export async function start() {
  const { app, getWss } = expressWs(express());
  app.get("/", (_, response) => void response.send("a page"));
  app.ws("/rooms/:room", (ws, request) => {
    ws.on("message", (data: Buffer) => ws.send(`${request.params["room"]}: ${data.toString()}`));
  });
  const server = app.listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = () => {
    for (const ws of getWss().clients) ws.terminate();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `ws://127.0.0.1:${port}`, wss: getWss(), close };
}
