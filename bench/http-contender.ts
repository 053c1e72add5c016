// One HTTP server in a process of its own: tells its parent the port, and its processor time when asked.
import { once } from "node:events";
import { createServer } from "node:http";
import { Response } from "../src/http/index.ts";
import { serveBy, ServeSettings } from "../src/http/internal.ts";
import { listen } from "../src/net/index.ts";
import { serve } from "../src/server/index.ts";

const host = "127.0.0.1";
const text = "Hello, world!\n";

const contenders: Record<string, () => Promise<number>> = {
  serval: async () => {
    const settings = new ServeSettings({ timeouts: { idle: Infinity } });
    const handler = (): Response => new Response({ fields: { "Content-Type": "text/plain" }, body: text });
    const listener = await listen({ port: 0, host }, (stream) => serveBy(stream, handler, settings, {}, ignore));
    return listener.port!;
  },
  "serval fetch": async () => {
    const headers = { "Content-Type": "text/plain" };
    return (
      await serve({
        port: 0,
        host,
        timeouts: { handshake: Infinity },
        fetch: () => new globalThis.Response(text, { headers }),
      })
    ).port!;
  },
  "node:http": async () => {
    // Connections wait while the others are measured.
    const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => {
      response.setHeader("Content-Type", "text/plain");
      response.end(text);
    });
    server.listen(0, host);
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

function ignore(): void {}

const port = await contenders[process.argv[2]!]!();
process.on("message", () => process.send!(process.cpuUsage()));
process.on("disconnect", () => process.exit(0));
process.send!({ port });
