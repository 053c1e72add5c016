import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { hasOnread, lend, onread, scrubReads, takeConnections, takenBack, type Handle } from "../../src/net/onread.ts";

test("this Node has onread", () => {
  assert.equal(hasOnread(), true);
});

test("all options share one buffer; with scrubbing, a read's bytes are overwritten afterwards", () => {
  const seen: Uint8Array[] = [];
  const first = onread((size) => {
    seen.push(lend(size));
    return takenBack(size);
  });
  const second = onread(takenBack);
  assert.equal(first.buffer, second.buffer);
  first.buffer.set([1, 2, 3]);
  assert.equal(first.callback(3), true);
  assert.deepEqual([...seen[0]!], [1, 2, 3]);
  scrubReads(true);
  first.callback(2);
  scrubReads(false);
  assert.deepEqual([...first.buffer.subarray(0, 3)], [0xdb, 0xdb, 3]);
});

test("a server that does not listen has no connections to take over", () => {
  const server = createServer();
  assert.equal(
    takeConnections(server, () => {}),
    false,
  );
});

test("connections of a listening server arrive as handles, before any socket is built", async () => {
  const server = createServer(() => assert.fail("a socket was built"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const taken = new Promise<Handle>((resolve) => assert.equal(takeConnections(server, resolve), true));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const handle = (await taken) as Handle & { close(): void };
  assert.equal(typeof handle.useUserBuffer, "function");
  handle.close();
  client.resume();
  await once(client, "close");
  server.close();
});
