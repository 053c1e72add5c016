// ws, as its documentation has it; compression with the parameters that serval agrees on.
import { once } from "node:events";
import { createServer } from "node:https";
import { WebSocket, WebSocketServer } from "ws";
import { broadcaster, host, options, ready, runner, versionOf } from "./child.mjs";

const version = versionOf("ws");
const { mode, deflate, tls } = options;

async function listen() {
  const perMessageDeflate = deflate && {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    // Its own is 1,024: it would send these messages as they are.
    threshold: 0,
  };
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
  client: async () => {
    const data = new Uint8Array(options.size);
    const open = async () => {
      let done;
      const ws = new WebSocket(`ws://${host}:${options.port}/`, { perMessageDeflate: false });
      await once(ws, "open");
      ws.on("message", () => done());
      return (whenDone) => {
        done = whenDone;
        ws.send(data);
      };
    };
    ready({ version }, runner(await Promise.all(Array.from({ length: options.connections }, open))));
  },
};

await modes[mode]();
