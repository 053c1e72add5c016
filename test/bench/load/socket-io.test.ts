import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { EchoGroup } from "../../../bench/load/echo.ts";
import { openSocketIo } from "../../../bench/load/socket-io.ts";
import { serve } from "../../../src/server/index.ts";

const form = { size: 64, text: true, deflate: false, isEvent: true };
const few = { depth: 4, connections: 3, tls: false };

/** What a Socket.IO server sends on a WebSocket: that it is open, that the namespace is connected, and the events back. */
async function socketServer(t: TestContext, connected = '40{"sid":"b"}'): Promise<{ port: number; events: string[] }> {
  const events: string[] = [];
  const server = await serve({
    port: 0,
    host: "127.0.0.1",
    rate: false,
    open: (ws) => void ws.write('0{"sid":"a"}'),
    message: (ws, message) => {
      if (message !== "40") events.push(String(message));
      return ws.write(message === "40" ? connected : message);
    },
  });
  t.after(() => server.close());
  return { port: server.port!, events };
}

describe("the load of a Socket.IO server", () => {
  it("is events of the asked size, after the packets that open a connection", async (t) => {
    const { port, events } = await socketServer(t);
    const group = await EchoGroup.openWebSockets(port, form, few);
    const { operations } = await group.run(20);
    assert.ok(operations >= few.depth * few.connections && operations % few.depth === 0);
    group.close();
    for (const event of events) {
      assert.equal(event.length, form.size);
      assert.equal(event.slice(0, 2), "42");
      const [name, data] = JSON.parse(event.slice(2)) as [string, { id: number }];
      assert.deepEqual([name, typeof data.id], ["message", "number"]);
    }
    assert.ok(new Set(events).size > few.depth);
  });

  it("is refused if the server does not connect the namespace", async (t) => {
    const { port } = await socketServer(t, '44{"message":"no"}');
    await assert.rejects(openSocketIo(port), /has not connected the namespace, but sent 44\{/);
  });
});
