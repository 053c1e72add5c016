import assert from "node:assert/strict";
import * as net from "node:net";
import { createServer } from "node:http";
import { test } from "node:test";
import { mount, serve, type MountOptions, type ServeOptions, type ServerOptions } from "../../src/server/index.ts";
import { checkServerOptions, streamOptions } from "../../src/server/options.ts";
import { Settings } from "../../src/websocket/internal.ts";

for (const [given, meant] of [
  ["massage", "message"],
  ["onmessage", "message"],
  ["orgins", "origins"],
  ["origin", "origins"],
  ["maxConnection", "maxConnections"],
  ["maxConnectionsPerIp", "maxConnections"],
  ["proxy", "proxyProtocol"],
  ["handler", "message"],
  ["dance", undefined],
  ["proxyprotocol", "proxyProtocol"],
  ["ports", "port"],
  ["TLS", "tls"],
  ["plane", "plain"],
  ["rates", "rate"],
  ["concurency", "concurrency"],
  ["maxbodysize", "maxBodySize"],
] as const) {
  test(`serve has no ${given}${meant === undefined ? "" : `, but ${meant}`}`, async () => {
    const message =
      meant === undefined
        ? new RegExp(`^serve has no option "${given}": there are open, message, .* and \\d+ more$`)
        : `serve has no option "${given}": did you mean ${meant}?`;
    await assert.rejects(serve({ [given]: 1 }), { code: "core.invalid_argument", message });
  });
}

for (const name of ["port", "host", "backlog", "tls", "plain", "proxyProtocol", "fetch", "maxBodySize"]) {
  test(`mount has no ${name}, and says which function has it`, () => {
    assert.throws(() => mount(createServer(), { [name]: 1 }), {
      code: "core.invalid_argument",
      message: new RegExp(`^mount has no option "${name}": .*\\bserve\\b.* takes? it$`),
    });
  });
}

test("mount names the nearest of its own", () => {
  assert.throws(() => mount(createServer(), { pat: "/x" } as object), { message: /did you mean path\?/ });
});

const message = (): void => {};

for (const wrong of [
  8080,
  "8080",
  null,
  [],
  undefined,
  new Date(),
  { maxConnections: 0 },
  { maxConnectionsPerAddress: "5" },
  { origins: "https://app.example" },
  { origins: ["app.example"] },
  { proxies: true },
  { proxies: { trusted: ["localhost"] } },
  { rate: 5 },
  { rate: { messages: 0 } },
  { rate: { message: 1 } },
  { rate: { exceeded: "drop" } },
  { connection: "x" },
  { connection: message, message },
  { message: "x" },
  { open: {} },
  { upgrade: true },
  { maxMessageSize: -1 },
  { maxFragments: "5" },
  { highWaterMark: Number.NaN },
  { maxBufferedAmount: -1 },
  { overflow: "pause" },
  { concurrency: 0 },
  { concurrency: 1.5 },
  { deflate: "yes" },
  { timeouts: { handshake: -1 } },
  { timeouts: { idel: 1 } },
  { clock: {} },
  { maxHeaderSize: "1" },
  { maxHeadersCount: -1 },
]) {
  test(`${JSON.stringify(wrong)} is refused by serve and mount`, async () => {
    await assert.rejects(serve(wrong as unknown as ServeOptions), { code: "core.invalid_argument" });
    const server = createServer();
    assert.throws(() => mount(server, wrong as unknown as MountOptions), { code: "core.invalid_argument" });
    assert.equal(server.listenerCount("upgrade"), 0);
  });
}

for (const wrong of [
  { fetch: "x" },
  { fetchError: "x" },
  { maxBodySize: -1 },
  { timeouts: { keepAlive: 0 } },
  { timeouts: { header: -1 } },
  { tls: {} },
  { tls: { cert: "x", key: "y" } },
  { tls: true },
  { plain: true },
  { plain: 1 },
  { proxyProtocol: "required" },
  { proxyProtocol: 1 },
  { unix: "/tmp/x.sock", port: 1 },
  { unix: "/tmp/x.sock", host: "localhost" },
  { port: -1 },
  { port: 65_536 },
  { port: 1.5 },
  { port: "8080" },
  { port: null },
  { host: 5 },
  { host: "" },
  { host: null },
  { unix: 5 },
  { unix: "" },
  { unix: null },
  { backlog: -1 },
  { backlog: 1.5 },
]) {
  test(`${JSON.stringify(wrong)} is refused by serve before anything listens`, async (t) => {
    const listened = t.mock.method(net.Server.prototype, "listen");
    await assert.rejects(serve(wrong as unknown as ServeOptions), { code: "core.invalid_argument" });
    assert.equal(listened.mock.callCount(), 0);
  });
}

test("undefined options count as absent", async () => {
  const names =
    "connection path origins proxies maxConnections maxConnectionsPerAddress open message drain close error upgrade decorate control maxHeaderSize maxHeadersCount maxMessageSize maxFragments highWaterMark maxBufferedAmount overflow autoFragment writeBufferSize text concurrency rate deflate timeouts clock";
  const options = Object.fromEntries(names.split(" ").map((name) => [name, undefined]));
  const server = await serve({
    ...options,
    host: "127.0.0.1",
    port: undefined,
    unix: undefined,
    backlog: undefined,
    tls: undefined,
    plain: undefined,
    proxyProtocol: undefined,
    fetch: undefined,
    fetchError: undefined,
    maxBodySize: undefined,
  });
  await server.close();
  await mount(createServer(), options).close();
});

test("neither takes a peer, which each connection has itself", async () => {
  const options = { message, peer: { address: "192.0.2.1" } } as ServeOptions;
  const error = { code: "core.invalid_argument", message: /no option "peer"/ };
  await assert.rejects(serve(options), error);
  assert.throws(() => mount(createServer(), options), error);
});

test("checkServerOptions accepts the options of each", () => {
  checkServerOptions("serve", { message, port: 1, path: "/x", origins: "*" });
  checkServerOptions("mount", { message, path: "/x", origins: "*" });
});

test("a stream's options are its own, with the rate limit of the server", () => {
  const options: ServerOptions & ServeOptions = { message, port: 1, origins: "*", maxConnections: 5, text: "bytes" };
  assert.deepEqual(streamOptions(options), {
    message,
    text: "bytes",
    rate: { messages: 10_000, bytes: 64 * 1024 * 1024 },
  });
  assert.deepEqual(new Settings(streamOptions(options)).rate, {
    messages: 10_000,
    bytes: 64 * 1024 * 1024,
    burst: 2000,
    exceeded: "wait",
  });
  assert.equal(new Settings(streamOptions({ rate: false })).rate, undefined);
  assert.deepEqual(streamOptions({ rate: { messages: 5 } }).rate, { messages: 5 });
});

test("connection runs after open, and closes when it returns", async () => {
  const order: string[] = [];
  const { open } = streamOptions({
    open: async () => {
      await Promise.resolve();
      order.push("open");
    },
    connection: async () => {
      await Promise.resolve();
      order.push("connection");
    },
  });
  await open!({ close: () => order.push("close") } as never);
  assert.deepEqual(order, ["open", "connection", "close"]);
});
