import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve, upgradeWebSocket } from "@hono/node-server";
import { Hono } from "hono";
import { WebSocketServer } from "serval/ws";

const app = new Hono();
app.get("/", (c) => c.text("a page"));
app.get(
  "/echo",
  upgradeWebSocket((c) => ({
    onOpen: (_, ws) => ws.send(`hello ${c.req.query("name")}`),
    onMessage: ({ data }, ws) => ws.send(data as string),
  })),
);

/** Hono's routes, with its WebSockets over serval. */
export async function start() {
  const wss = new WebSocketServer({ noServer: true });
  const server = serve({ fetch: app.fetch, port: 0, websocket: { server: wss } });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, wss, close: () => new Promise((resolve) => server.close(resolve)) };
}
