// undici as a client: its WebSocket, and a pool of connections for requests.
import { once } from "node:events";
import { Pool, WebSocket } from "undici";
import { host, options, ready, runner, versionOf } from "./child.mjs";

const version = versionOf("undici");
const { mode, port, connections } = options;

const modes = {
  client: async () => {
    const data = new Uint8Array(options.size);
    const open = async () => {
      let done;
      const ws = new WebSocket(`ws://${host}:${port}/`);
      ws.binaryType = "arraybuffer";
      await once(ws, "open");
      ws.addEventListener("message", () => done());
      return (whenDone) => {
        done = whenDone;
        ws.send(data);
      };
    };
    ready({ version }, runner(await Promise.all(Array.from({ length: connections }, open))));
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
