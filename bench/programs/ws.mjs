// ws, as its documentation has it; compression with the parameters that serval agrees on. With a build of serval it is its
// module that stands in for ws.
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import { pathToFileURL } from "node:url";
import { broadcaster, EchoClient, host, opener, options, ready, readyClients, runner, versionOf } from "./child.mjs";

const { serval } = options;
const { WebSocket, WebSocketServer } = serval
  ? await import(new URL("ws/index.js", pathToFileURL(serval)).href)
  : await import("ws");
const version = serval ? options.version : versionOf("ws");
const { mode, deflate = false, tls } = options;
const url = `ws://${host}:${options.port}/`;
const isReset = deflate !== "takeover";
const perMessageDeflate = deflate !== false && {
  serverNoContextTakeover: isReset,
  clientNoContextTakeover: isReset,
  // Its own is 1,024: it would send some messages as they are.
  threshold: 0,
};

async function listen() {
  const secure = tls && createServer(tls).listen(0, host);
  const server = new WebSocketServer({ perMessageDeflate, ...(tls ? { server: secure } : { port: 0, host }) });
  await once(server, "listening");
  server.on("connection", (ws) => ws.on("error", () => {}));
  return server;
}

const echo = async () => {
  const server = await listen();
  server.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
  ready({ version, port: server.address().port });
};

const modes = {
  echo,
  // It has its events alone.
  pulled: echo,
  pulledSent: echo,
  flooded: echo,
  floodedSink: async () => {
    const server = await listen();
    server.on("connection", (ws) => ws.on("message", (data, isBinary) => isBinary || ws.send(data, { binary: false })));
    ready({ version, port: server.address().port });
  },
  broadcast: async () => {
    const server = await listen();
    const publish = (data) => {
      for (const client of server.clients) client.send(data);
    };
    ready({ version, port: server.address().port }, broadcaster(publish));
  },
  socketIo: async () => {
    const { Server } = await import("socket.io");
    const http = createHttpServer().listen(0, host);
    // The load answers no pings.
    const server = new Server(http, { wsEngine: WebSocketServer, transports: ["websocket"], pingInterval: 3_600_000 });
    server.on("connection", (socket) => socket.on("message", (data) => socket.emit("message", data)));
    await once(http, "listening");
    ready({ version, port: http.address().port });
  },
  client: () =>
    readyClients(version, async () => {
      const ws = new WebSocket(url, { perMessageDeflate });
      const client = new EchoClient((data) => ws.send(data));
      await once(ws, "open");
      ws.on("message", client.received);
      return client;
    }),
  clientClose: async () => {
    const operate = (done) => {
      const ws = new WebSocket(url, { perMessageDeflate });
      ws.on("open", () => ws.close(1000));
      ws.on("close", done);
    };
    ready({ version }, runner(Array.from({ length: options.connections }, () => operate)));
  },
  clientIdle: async () => {
    const open = async () => {
      const ws = new WebSocket(url, { perMessageDeflate });
      ws.on("message", () => {});
      await once(ws, "open");
      return ws;
    };
    ready({ version }, opener(open));
  },
};

await modes[mode]();
