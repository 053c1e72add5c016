// Every example ends with code 0 when it is asked to, with and without open connections.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { WebSocket } from "ws";
import { serve } from "../../src/index.ts";
import { localhost } from "../support/localhost.ts";
import type { Cleanup } from "../support/programs.ts";
import { join } from "./support/chat.ts";
import { startExample, type Example } from "./support/example.ts";

const names = readdirSync(fileURLToPath(new URL("../../../examples", import.meta.url)))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replace(/\.ts$/, ""));

/** Where an example's WebSocket is; undefined if it has none. */
const paths: Readonly<Record<string, string | undefined>> = {
  "file-server": undefined,
  "http-and-websocket": "/",
  "reverse-proxy": "/",
  "tls-and-plain": "/",
};

const pathOf = (name: string): string | undefined => (name in paths ? paths[name] : "/chat");

const start = (test: Cleanup, name: string, origin: string): Promise<Example> => {
  const files = { "key.pem": localhost.key, "cert.pem": localhost.cert };
  const others: Readonly<Record<string, string>> = { "reverse-proxy": origin, "file-server": "." };
  const isTls = name === "tls-and-plain";
  return startExample(test, name, () => (isTls ? Object.keys(files) : [others[name] ?? ""]), isTls ? files : {});
};

/** A connection that has sent this. */
async function dial(port: number, sent: string): Promise<Socket> {
  const socket = connect(port, "localhost");
  // What becomes of it is the example's to choose.
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(sent);
  return socket;
}

describe("examples end with code 0", { concurrency: 4 }, () => {
  for (const name of names) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      it(`${name}, at ${signal}`, async (t) => {
        const example = await start(t, name, "127.0.0.1:9");
        assert.equal((await example.stop(signal)).code, 0);
      });

      it(`${name}, at ${signal}, with open connections`, { timeout: 30_000 }, async (t) => {
        await using origin = await serve({ host: "127.0.0.1", message: () => {}, fetch: () => new Response("page") });
        const example = await start(t, name, `127.0.0.1:${origin.port}`);
        const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        const answered = await dial(example.port, get);
        await once(answered, "data");
        const sockets = [answered];
        // One that has said nothing, and one inside the head of a request: these are waited for.
        if (signal === "SIGTERM") {
          sockets.push(await dial(example.port, ""), await dial(example.port, get.slice(0, 20)));
        }
        const path = pathOf(name);
        const clients: WebSocket[] = [];
        if (path !== undefined) clients.push(await join(`ws://localhost:${example.port}${path}`));
        const codes = clients.map(async (ws) => ((await once(ws, "close")) as [number])[0]);
        assert.equal((await example.stop(signal)).code, 0);
        // A proxy can only cut what it does not understand.
        const code = name === "reverse-proxy" ? 1006 : 1001;
        assert.deepEqual(
          await Promise.all(codes),
          clients.map(() => code),
        );
        for (const socket of sockets) socket.destroy();
      });
    }
  }
});
