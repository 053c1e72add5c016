// Bun's own server. Run by Bun.
import { broadcaster, host, options, ready } from "./child.mjs";
import { fetchHandlers } from "./fetch-handlers.mjs";

const { Bun } = globalThis;
const { mode, deflate = false, tls } = options;
const isBroadcast = mode === "broadcast";
const contexts = { compress: "dedicated", decompress: "dedicated" };
const handlers = { ...fetchHandlers, file: () => new Response(Bun.file(options.file)) };

const server = Bun.serve({
  port: 0,
  hostname: host,
  ...(tls && { tls }),
  fetch(request, serving) {
    if (mode === "http") return handlers[options.form](request);
    return serving.upgrade(request) ? undefined : new Response("", { status: 426 });
  },
  websocket: {
    perMessageDeflate: deflate === "takeover" ? contexts : deflate,
    idleTimeout: 0,
    maxPayloadLength: 2 ** 27,
    backpressureLimit: 2 ** 27,
    open: isBroadcast ? (ws) => ws.subscribe("all") : undefined,
    message: isBroadcast ? () => {} : (ws, data) => ws.send(data, deflate !== false),
  },
});
ready(
  { version: Bun.version, port: server.port },
  broadcaster((data) => server.publish("all", data)),
);
