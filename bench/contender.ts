// One echo server in a process of its own: tells its parent the port, and its processor time when asked.
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { serve } from "../src/server/index.ts";
import type { Stream } from "../src/websocket/index.ts";

const contenders: Record<string, () => Promise<number>> = {
  serval: async () => (await serve({ port: 0, host: "127.0.0.1", message: (ws, message) => ws.write(message) })).port!,
  "serval pulled": async () => {
    const connection = async (ws: Stream): Promise<void> => {
      for await (const message of ws) await ws.write(message);
    };
    return (await serve({ port: 0, host: "127.0.0.1", connection })).port!;
  },
  ws: async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (ws) => {
      ws.on("message", (data: Buffer, isBinary) => ws.send(data, { binary: isBinary }));
      ws.on("error", () => {});
    });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

const port = await contenders[process.argv[2]!]!();
process.on("message", () => process.send!(process.cpuUsage()));
process.on("disconnect", () => process.exit(0));
process.send!({ port });
