// One server in a process of its own: tells its parent the port, and its processor time when asked.
import { once } from "node:events";
import * as net from "node:net";
import { setImmediate } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { serve } from "../src/server/index.ts";
import type { Stream } from "../src/websocket/index.ts";

const deflate = process.argv[3] === "deflate";
// Some of the loads are what the default rate is there to slow down.
const options = { port: 0, host: "127.0.0.1", deflate, rate: false } as const;

/** Sends a message to all who are connected. */
let publish: (message: Uint8Array) => unknown;

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
  "serval broadcast": async () => {
    const server = await serve({ ...options, open: (ws) => void ws.subscribe("all"), message: () => {} });
    publish = (message) => server.publish("all", message);
    return server.port!;
  },
  "ws broadcast": async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    publish = (message) => {
      for (const client of server.clients) client.send(message);
    };
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
  // The floor: sockets that answer what comes first with an upgrade, and one write of the same bytes to each.
  net: async () => {
    const all = new Set<net.Socket>();
    publish = (message) => {
      const frame = Buffer.concat([Buffer.from([0x82, 0x7e, message.length >> 8, message.length & 0xff]), message]);
      for (const socket of all) socket.write(frame);
    };
    const server = net.createServer({ noDelay: true }, (socket) => {
      all.add(socket);
      socket.on("error", () => {});
      socket.on("data", () => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

const port = await contenders[process.argv[2]!]!();
process.on("message", (question: string | Broadcast) => {
  if (typeof question === "object") void broadcast(question);
  else if (question === "memory") process.send!({ maxRSS: process.resourceUsage().maxRSS });
  else if (question === "resident") process.send!(residentMemory());
  else process.send!(process.cpuUsage());
});
process.on("disconnect", () => process.exit(0));
process.send!({ port });

/** Messages to all: so many in each turn of the event loop. */
interface Broadcast {
  rounds: number;
  atOnce: number;
  size: number;
}

/** Tells what sending them costs. */
async function broadcast({ rounds, atOnce, size }: Broadcast): Promise<void> {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < atOnce; i++) publish(new Uint8Array(size).fill(round));
    await setImmediate();
  }
  process.send!(process.cpuUsage(before));
}

/** What is in use once the collector has been through. */
function residentMemory(): { resident: number; heap: number } {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}
