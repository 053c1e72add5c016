// One echo server in a process of its own: tells its parent the port, and its processor time when asked.
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { serve } from "../src/server/index.ts";
import type { Stream } from "../src/websocket/index.ts";

const deflate = process.argv[3] === "deflate";
const options = { port: 0, host: "127.0.0.1", deflate } as const;

const contenders: Record<string, () => Promise<number>> = {
  serval: async () => (await serve({ ...options, message: (ws, message) => ws.write(message) })).port!,
  "serval pulled": async () => {
    const connection = async (ws: Stream): Promise<void> => {
      for await (const message of ws) await ws.write(message);
    };
    return (await serve({ ...options, connection })).port!;
  },
  "serval in parts": async () => {
    const connection = async (ws: Stream): Promise<void> => {
      for (;;) {
        const { bytes, kind, done } = await ws.readSome();
        await ws.writeSome(bytes, done, { kind });
      }
    };
    return (await serve({ ...options, maxMessageSize: Infinity, maxFragments: Infinity, connection })).port!;
  },
  ws: async () => {
    const perMessageDeflate = deflate && {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      // Its own is 1,024: it would send these messages as they are.
      threshold: 0,
    };
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate });
    server.on("connection", (ws) => {
      ws.on("message", (data: Buffer, isBinary) => ws.send(data, { binary: isBinary }));
      ws.on("error", () => {});
    });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

const port = await contenders[process.argv[2]!]!();
process.on("message", (question) => {
  if (question === "memory") process.send!({ maxRSS: process.resourceUsage().maxRSS });
  else if (question === "resident") process.send!(residentMemory());
  else process.send!(process.cpuUsage());
});
process.on("disconnect", () => process.exit(0));
process.send!({ port });

/** What is in use once the collector has been through. */
function residentMemory(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage.rss();
}
