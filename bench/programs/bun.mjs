// Bun's own server. Run by Bun.
import { broadcaster, greeting, host, options, ready } from "./child.mjs";

const { Bun } = globalThis;
const { mode, deflate = false, tls } = options;
const isBroadcast = mode === "broadcast";

const server = Bun.serve({
  port: 0,
  hostname: host,
  ...(tls && { tls }),
  fetch(request, serving) {
    if (mode === "fetch") return new Response(greeting);
    return serving.upgrade(request) ? undefined : new Response("", { status: 426 });
  },
  websocket: {
    perMessageDeflate: deflate,
    idleTimeout: 0,
    maxPayloadLength: 2 ** 27,
    backpressureLimit: 2 ** 27,
    open: isBroadcast ? (ws) => ws.subscribe("all") : undefined,
    message: isBroadcast ? () => {} : (ws, data) => ws.send(data, deflate),
  },
});
ready(
  { version: Bun.version, port: server.port },
  broadcaster((data) => server.publish("all", data)),
);
