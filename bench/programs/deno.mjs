// Deno's own server. Run by Deno.
import { host, options, ready } from "./child.mjs";
import { fetchHandlers } from "./fetch-handlers.mjs";

const { Deno } = globalThis;

function handle(request) {
  if (options.mode === "http") return fetchHandlers[options.form](request);
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => socket.send(data));
  return response;
}

const onListen = ({ port }) => ready({ version: Deno.version.deno, port });
Deno.serve({ port: 0, hostname: host, onListen, ...options.tls }, handle);
