// A server in a process of its own, whose event loop can be blocked. It says where it listens, and how it is when asked.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mount, serve, type ServeOptions, type ServerOptions } from "../../../src/server/index.ts";
import { localhost } from "../../support/localhost.ts";

/** How a server is made. */
export interface Setup {
  timeouts: ServeOptions["timeouts"];
  tls?: boolean;
  proxyProtocol?: boolean;
  /** Whether it is mounted on a server of `node:http`. */
  mounts?: boolean;
}

/** What it is asked: to block its loop for some milliseconds, or for its statistics. */
export type Question = { block: number } | "stats";

const { timeouts, tls = false, proxyProtocol = false, mounts = false } = JSON.parse(process.argv[2]!) as Setup;

const handlers: Pick<ServerOptions, "message"> = {
  message: (ws, message) => {
    if (message === "close") ws.close();
    else ws.send(message);
  },
};

async function mounted(): Promise<{ port: number; stats: ReturnType<typeof mount>["stats"] }> {
  const { handshake, idle } = timeouts!;
  const server = createServer().listen(0, "127.0.0.1");
  const sockets = mount(server, { timeouts: { handshake: handshake!, idle: idle! }, ...handlers });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, stats: () => sockets.stats() };
}

const server = mounts
  ? await mounted()
  : await serve({
      port: 0,
      host: "127.0.0.1",
      timeouts,
      proxyProtocol,
      ...(tls && { tls: localhost }),
      fetch: async (request) =>
        request.url.endsWith("/long")
          ? new Response(new Uint8Array(32 * 1024 * 1024))
          : new Response(await request.text()),
      ...handlers,
    });

process.on("message", (question: Question) => {
  if (question === "stats") {
    process.send!(server.stats());
    return;
  }
  process.send!("blocked");
  const end = performance.now() + question.block;
  while (performance.now() < end);
});

process.send!(server.port);
