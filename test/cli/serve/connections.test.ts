import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Connections } from "../../../src/cli/serve/connections.ts";
import { Request } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { Stream } from "../../../src/websocket/index.ts";

const id = "0123456789abcdef";

/** Both ends of an open connection, whose request has this target. */
async function connected(target = `/echo?id=${id}`): Promise<readonly [server: Stream, client: Stream]> {
  const [a, b] = pair();
  const [server, client] = [new Stream(a), new Stream(b)];
  await Promise.all([server.accept(), client.handshake("host", target)]);
  assert.ok(server.request instanceof Request);
  return [server, client];
}

describe("Connections", () => {
  it("reports the traffic and the last round trip of a connection by its id", async () => {
    const connections = new Connections();
    const [server, client] = await connected();
    connections.add(server);
    assert.equal(connections.look(`${id}0`), undefined);
    client.send("hello");
    assert.equal(await server.read(), "hello");
    const first = connections.look(id)!;
    assert.equal(first.payloadReceived, 5);
    assert.equal(first.roundTripTime, undefined);
    // The client sees the ping, and answers it, on its way to this message; the server its pong to the next.
    server.send("read");
    assert.equal(await client.read(), "read");
    client.send("more");
    assert.equal(await server.read(), "more");
    assert.equal(typeof connections.look(id)!.roundTripTime, "number");
    server.terminate();
  });

  it("ignores connections without an id, and forgets those that have ended", async () => {
    const connections = new Connections();
    for (const target of ["/echo", "/echo?id=short"]) {
      const [server] = await connected(target);
      connections.add(server);
      assert.equal(connections.size, 0);
      connections.remove(server);
      server.terminate();
    }
    const [server] = await connected();
    connections.add(server);
    server.terminate();
    assert.equal(connections.look(id), undefined);
    connections.remove(server);
    assert.equal(connections.size, 0);
  });

  it("keeps a connection that has taken another's id", async () => {
    const connections = new Connections();
    const [[first], [second]] = [await connected(), await connected()];
    connections.add(first);
    connections.add(second);
    connections.remove(first);
    assert.notEqual(connections.look(id), undefined);
    for (const server of [first, second]) server.terminate();
  });
});
