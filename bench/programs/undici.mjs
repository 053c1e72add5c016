// undici as a client: its WebSocket, and a pool of connections for requests.
import { once } from "node:events";
import { Pool, WebSocket } from "undici";
import { EchoClient, host, opener, options, ready, readyClients, runner, versionOf } from "./child.mjs";

const version = versionOf("undici");
const { mode, port, connections } = options;
const url = `ws://${host}:${port}/`;

const modes = {
  client: () =>
    readyClients(version, async () => {
      const ws = new WebSocket(url);
      ws.binaryType = "arraybuffer";
      const client = new EchoClient((data) => ws.send(data));
      await once(ws, "open");
      ws.addEventListener("message", ({ data }) => client.received(data));
      return client;
    }),
  clientClose: async () => {
    const operate = (done) => {
      const ws = new WebSocket(url);
      ws.addEventListener("open", () => ws.close(1000));
      ws.addEventListener("close", () => done());
    };
    ready({ version }, runner(Array.from({ length: connections }, () => operate)));
  },
  clientIdle: async () => {
    const open = async () => {
      const ws = new WebSocket(url);
      ws.addEventListener("message", () => {});
      await once(ws, "open");
      return ws;
    };
    ready({ version }, opener(open));
  },
  request: async () => {
    const pool = new Pool(`http://${host}:${port}`, { connections });
    const operate = async (done) => {
      const { body } = await pool.request({ path: "/", method: "GET" });
      await body.bytes();
      done();
    };
    ready({ version }, runner(Array.from({ length: connections }, () => operate)));
  },
};

await modes[mode]();
