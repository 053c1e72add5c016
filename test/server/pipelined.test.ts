import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import * as tls from "node:tls";
import { test, type TestContext } from "node:test";
import { mount, type MountedServer, type MountOptions } from "../../src/server/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { quiet } from "../support/quiet.ts";
import { until } from "../support/until.ts";
import { requestBytes } from "../websocket/support/requests.ts";

const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
const upgrade = Buffer.from(requestBytes()).toString("latin1");
const hi = "\x81\x82\0\0\0\0hi";

interface Fixture {
  readonly chat: MountedServer;
  readonly clock: VirtualClock;
  readonly client: net.Socket;
  /** What the client has received. */
  readonly received: () => string;
  /** The responses that the server has to give, in order. */
  readonly responses: http.ServerResponse[];
}

/** A server whose responses the test gives, and a client that has sent some bytes. */
async function serving(
  t: TestContext,
  sent: string,
  { secure = false, count = 1, ...options }: MountOptions & { secure?: boolean; count?: number } = {},
): Promise<Fixture> {
  const responses: http.ServerResponse[] = [];
  const onRequest: http.RequestListener = (_, response) => void responses.push(response);
  const server = secure ? https.createServer(localhost, onRequest) : http.createServer(onRequest);
  const clock = new VirtualClock();
  const chat = mount(server, { message: (ws, message) => void ws.send(message), clock, ...options });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = secure
    ? tls.connect({ port, host: "127.0.0.1", ca: localhost.cert, servername: "localhost" })
    : net.connect(port, "127.0.0.1");
  let received = "";
  client.on("data", (chunk: Buffer) => (received += chunk.toString("latin1"))).on("error", () => {});
  t.after(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    for (const ws of chat.sockets) ws.terminate();
    await chat.close();
    await until(() => clock.pending === 0);
  });
  client.write(sent, "latin1");
  await until(() => responses.length === count);
  await quiet(3);
  return { chat, clock, client, received: () => received, responses };
}

for (const secure of [false, true]) {
  test(`an upgrade after unanswered requests waits for their responses, ${secure ? "with" : "without"} TLS`, async (t) => {
    const sent = get("/1") + get("/2") + upgrade + hi;
    const { chat, received, responses, client } = await serving(t, sent, { secure, count: 2 });
    assert.deepEqual([chat.connections, chat.sockets.size, received()], [1, 0, ""]);
    responses[1]!.end("two");
    await quiet(3);
    assert.equal(received(), "");
    responses[0]!.write("o");
    await until(() => received().includes("o"));
    assert.equal(chat.sockets.size, 0);
    client.write("\x81\x82\0\0\0\0ho", "latin1");
    responses[0]!.end("ne");
    await until(() => received().endsWith("\x81\x02ho"));
    const order = [...received().matchAll(/HTTP\/1\.1 (\d+)|two|ne\r\n|\x81.h[io]/g)].map(([all, code]) => code ?? all);
    assert.deepEqual(order, ["200", "ne\r\n", "200", "two", "101", "\x81\x02hi", "\x81\x02ho"]);
  });
}

test("a response that is larger than the client takes goes on while an upgrade waits", async (t) => {
  const { client, received, responses } = await serving(t, get("/") + upgrade);
  client.pause();
  const size = 16 * 1024 * 1024;
  let written = 0;
  let drains = 0;
  const more = (): void => {
    while (written < size) {
      written += 65_536;
      if (!responses[0]!.write("x".repeat(65_536))) return;
    }
    responses[0]!.end();
  };
  responses[0]!.on("drain", () => {
    drains++;
    more();
  });
  more();
  client.resume();
  await until(() => received().includes(" 101 "));
  assert.ok(drains > 0);
  assert.equal(received().split("x".repeat(65_536)).length - 1, size / 65_536);
});

test("an upgrade after a response that ends the connection is dropped", async (t) => {
  const { chat, client, received, responses } = await serving(t, get("/") + upgrade);
  responses[0]!.setHeader("Connection", "close").end("bye");
  await until(() => client.destroyed);
  assert.ok(received().endsWith("bye"));
  await until(() => chat.connections === 0);
  assert.equal(chat.stats().opened, 0);
});

test("an upgrade that waits for longer than timeouts.handshake is cut off, and its place is free", async (t) => {
  const { chat, clock, client, responses } = await serving(t, get("/") + upgrade, { timeouts: { handshake: 5_000 } });
  responses[0]!.write("half");
  await clock.advance(4_999);
  assert.equal(chat.connections, 1);
  await clock.advance(1);
  await until(() => client.destroyed);
  assert.deepEqual([chat.connections, chat.stats().limits["timeouts.handshake"]], [0, 1]);
  await until(() => responses[0]!.destroyed);
});

for (const [how, leave] of [
  ["resets its connection", (client: net.Socket) => client.resetAndDestroy()],
  ["ends its side", (client: net.Socket) => client.end()],
] as const) {
  test(`a client that ${how} while its upgrade waits frees its place, and the application sees it`, async (t) => {
    const { chat, client, responses } = await serving(t, get("/") + upgrade);
    leave(client);
    await until(() => chat.connections === 0);
    await until(() => responses[0]!.destroyed);
    assert.deepEqual([chat.stats().abandoned, chat.stats().opened], [1, 0]);
  });
}

test("a drain refuses upgrades that wait, after the responses before them", async (t) => {
  const { chat, client, received, responses } = await serving(t, get("/") + upgrade);
  const drained = chat.drain();
  await quiet(3);
  responses[0]!.end("page");
  await until(() => received().includes("503"));
  assert.match(received(), /page.*HTTP\/1\.1 503 .*shutting down/s);
  client.end();
  assert.equal((await drained).cut, 0);
});

test("a drain's timeout cuts off upgrades that wait", async (t) => {
  const { chat, clock, client } = await serving(t, get("/") + upgrade);
  const drained = chat.drain({ timeout: 1_000 });
  await clock.advance(1_000);
  await until(() => client.destroyed);
  assert.deepEqual([(await drained).cut, chat.connections], [1, 0]);
});

test("the handlers of an upgrade that has waited run in the context of its event, not in that of the response", async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const { received, responses } = await serving(t, get("/") + upgrade, {
    upgrade: () => void seen.push(storage.getStore()),
    open: () => void seen.push(storage.getStore()),
  });
  storage.run("the response's", () => responses[0]!.end("page"));
  await until(() => received().includes(" 101 "));
  assert.deepEqual(seen, [undefined, undefined]);
});

test("a request with another upgrade, after an unanswered one, is answered in its turn", async (t) => {
  const h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n";
  // A newer Node.js announces it at once, since it is an ordinary request there.
  const sent = get("/1") + get("/2", h2c);
  const count = "shouldUpgradeCallback" in http.createServer() ? 2 : 1;
  const { received, responses } = await serving(t, sent, { count });
  responses[0]!.end("one");
  await until(() => responses.length === 2);
  responses[1]!.end("two");
  await until(() => received().endsWith("two"));
  assert.match(received(), /one.*HTTP\/1\.1 200.*two$/s);
});
