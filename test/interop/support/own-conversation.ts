// A program for other runtimes than Node.js: a server and a client of its own talk to each other, and it says how that was.
import { connect } from "../../../src/client/index.ts";
import { serve } from "../../../src/server/index.ts";

const host = "127.0.0.1";
const server = await serve({
  port: 0,
  host,
  deflate: true,
  message: (ws, message) => ws.write(message),
  fetch: async (request) => new Response(await request.text()),
});
const { transport } = server.stats();
const ws = await connect(`ws://${host}:${server.port}/`, { deflate: true });
for (const size of [1, 64, 70_000, 3_000_000]) {
  const sent = new Uint8Array(size).fill(size);
  const [received] = await Promise.all([ws.read(), ws.write(sent)]);
  if (!Buffer.from(sent).equals(received as Uint8Array)) throw new Error(`${size} bytes came back as others`);
}
await ws.close();
const response = await fetch(`http://${host}:${server.port}/`, { method: "POST", body: "plain HTTP" });
if ((await response.text()) !== "plain HTTP") throw new Error("another body came back");
await server.close();
process.stdout.write(transport);
