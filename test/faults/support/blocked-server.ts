// A server in a process of its own, whose event loop can be blocked. It says where it listens, and how it is when asked.
import { serve, type ServeOptions } from "../../../src/server/index.ts";
import { localhost } from "../../support/localhost.ts";

/** How a server is made. */
export interface Setup {
  tls: boolean;
  timeouts: ServeOptions["timeouts"];
}

/** What it is asked: to block its loop for some milliseconds, or for its statistics. */
export type Question = { block: number } | "stats";

const { tls, timeouts } = JSON.parse(process.argv[2]!) as Setup;

const server = await serve({
  port: 0,
  host: "127.0.0.1",
  timeouts,
  ...(tls && { tls: localhost }),
  fetch: async (request) =>
    request.url.endsWith("/long") ? new Response(new Uint8Array(32 * 1024 * 1024)) : new Response(await request.text()),
  message: (ws, message) => {
    if (message === "close") ws.close();
    else ws.send(message);
  },
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
