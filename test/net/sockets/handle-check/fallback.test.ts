// In a process of its own, since handles are tried out once.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect } from "../../../../src/client/index.ts";
import { lowestLayer } from "../../../../src/core/index.ts";
import { handlesWork } from "../../../../src/net/sockets/handle-check.ts";
import { NodeSocketStream } from "../../../../src/net/sockets/node-socket-stream.ts";
import { serve } from "../../../../src/server/index.ts";

test("where a handle does something else than expected, servers and clients use sockets, also if handles are asked for", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { _handle: handle } = server as unknown as { _handle: object };
  // Node's sockets need it only to reset.
  (Object.getPrototypeOf(handle) as { reset: () => never }).reset = () => {
    throw new Error("not implemented");
  };
  server.close();
  assert.equal(await handlesWork(), false);

  const echo = await serve({
    port: 0,
    host: "127.0.0.1",
    transport: "handle",
    message: (ws, message) => ws.write(message),
  });
  assert.equal(echo.stats().transport, "socket");
  const ws = await connect(`ws://127.0.0.1:${echo.port}/`, { transport: "handle" });
  assert.ok(lowestLayer(ws.nextLayer) instanceof NodeSocketStream);
  await ws.write("hello");
  assert.equal(await ws.read(), "hello");
  await ws.close();
  await echo.close();
});
