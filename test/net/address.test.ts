import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { test } from "node:test";
import { connectedTo, listenedOn, nameOf } from "../../src/net/address.ts";
import { socketPair } from "./support/sockets.ts";

test("addresses as text", () => {
  assert.equal(nameOf({ port: 80 }), "*:80");
  assert.equal(nameOf({ host: "example.com", port: 80 }), "example.com:80");
  assert.equal(nameOf({ host: "::1", port: 80 }), "[::1]:80");
  assert.equal(nameOf({ unix: "/tmp/x" }), "/tmp/x");
});

test("the peer of a socket, and nothing if it is not connected", async () => {
  const [client, server] = await socketPair();
  assert.deepEqual(connectedTo(server), { address: "127.0.0.1", port: client.localPort, family: "IPv4" });
  client.destroy();
  server.destroy();
  assert.deepEqual(connectedTo(new Socket()), {});
});

test("the address of a server, and nothing before it listens", async () => {
  const server = createServer();
  assert.deepEqual(listenedOn(server), {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port, family } = listenedOn(server);
  assert.deepEqual([address, family], ["127.0.0.1", "IPv4"]);
  assert.ok(port! > 0);
  server.close();
});
