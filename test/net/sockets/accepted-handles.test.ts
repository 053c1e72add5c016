import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, Server, type AddressInfo } from "node:net";
import { mock, test } from "node:test";
import { takeConnections } from "../../../src/net/sockets/accepted-handles.ts";
import type { StreamHandle } from "../../../src/net/sockets/stream-handle.ts";

test("a server that does not listen has no connections to take over", () => {
  assert.equal(
    takeConnections(createServer(), () => assert.fail("a connection")),
    false,
  );
});

test("connections of a listening server arrive as handles, before any socket is built", async () => {
  const server = createServer(() => assert.fail("a socket was built"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const taken = new Promise<StreamHandle>((resolve) => {
    const take = (handle: StreamHandle): boolean => {
      resolve(handle);
      return true;
    };
    assert.equal(takeConnections(server, take), true);
  });
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const handle = await taken;
  assert.equal(typeof handle.useUserBuffer, "function");
  handle.close();
  client.resume();
  await once(client, "close");
  server.close();
});

test("Node.js gets those that are refused, failures, and handles that are not as expected", () => {
  const server = new Server();
  const taken: unknown[] = [];
  const original = mock.fn();
  Object.assign(server, { _handle: { onconnection: original } });
  const take = (handle: StreamHandle): boolean => handle === good && taken.push(handle) > 0;
  assert.equal(takeConnections(server, take), true);
  const { onconnection } = (server as unknown as { _handle: { onconnection(...values: unknown[]): void } })._handle;
  const method = (): number => 0;
  const good: StreamHandle = {
    useUserBuffer() {},
    readStart: method,
    readStop: method,
    writeBuffer: method,
    writev: method,
    shutdown: method,
    close() {},
  };
  onconnection(0, good);
  assert.deepEqual([taken, original.mock.callCount()], [[good], 0]);
  const { writev: _, ...lesser } = good;
  for (const [status, handle] of [
    [0, { ...good }],
    [0, {}],
    [0, lesser],
    [-24, undefined],
    [-24, good],
  ] as const) {
    onconnection(status, handle);
    assert.deepEqual(original.mock.calls.at(-1)!.arguments, [status, handle]);
  }
  assert.deepEqual([taken.length, original.mock.callCount()], [1, 5]);
});
