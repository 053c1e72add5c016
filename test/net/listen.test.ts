import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { getEventListeners, once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, Server, Socket } from "node:net";
import { dirname } from "node:path";
import { describe, it, mock } from "node:test";
import type { ServalError } from "../../src/core/index.ts";
import { connect, listen, type SocketStream } from "../../src/net/index.ts";
import { listenBy } from "../../src/net/listen.ts";
import type { Way } from "../../src/net/sockets/transport.ts";
import { read, readExactly, turns, until, writeAll } from "../core/support/stream-operations.ts";
import { withPath } from "./support/sockets.ts";
import { failsWith } from "./support/fails-with.ts";

const hello = Buffer.from("hello");
const host = "127.0.0.1";
const ignore = (): void => {};

for (const way of ["handle", "onread", "data"] satisfies Way[]) {
  describe(`listen, ${way}`, () => {
    it("has its address, and passes connections on", async () => {
      let accepted: SocketStream | undefined;
      const listener = await listenBy(way, { port: 0, host }, (stream) => {
        accepted = stream;
      });
      assert.deepEqual(listener.address(), { address: host, port: listener.port, family: "IPv4" });
      assert.equal(listener.host, host);
      assert.equal(listener.unix, undefined);
      assert.ok(listener.port! > 0);
      const client = await connect({ port: listener.port, host });
      await until(() => accepted !== undefined);
      assert.equal(accepted!.peer.address, host);
      assert.equal(accepted!.peer.family, "IPv4");
      assert.deepEqual(client.peer, { address: host, port: listener.port, family: "IPv4" });
      await writeAll(client, hello);
      assert.deepEqual(await readExactly(accepted!, 5), hello);
      assert.equal(accepted!.bytesRead, 5);
      assert.equal(client.bytesWritten, 5);
      client.close();
      accepted!.close();
      await listener.close();
    });

    it("counts the connections that are open", async () => {
      const streams: SocketStream[] = [];
      const listener = await listenBy(way, { port: 0, host }, (stream) => streams.push(stream));
      assert.equal(listener.connections, 0);
      const clients = await Promise.all([1, 2, 3].map(() => connect({ port: listener.port, host })));
      await until(() => listener.connections === 3);
      streams[0]!.close();
      await until(() => listener.connections === 2);
      for (const stream of [...streams, ...clients]) stream.close();
      await until(() => listener.connections === 0);
      await listener.close();
    });

    it("leaves accepted connections open when it is closed, and frees the port at once", async () => {
      const streams: SocketStream[] = [];
      const listener = await listenBy(way, { port: 0, host }, (stream) => streams.push(stream));
      const client = await connect({ port: listener.port, host });
      await until(() => streams.length === 1);
      await Promise.all([listener.close(), listener.close()]);
      const again = await listenBy(way, { port: listener.port, host }, ignore);
      await again.close();
      await assert.rejects(connect({ port: listener.port, host }), failsWith("net.connection_refused", /:\d+: /));
      await writeAll(client, hello);
      assert.deepEqual(await readExactly(streams[0]!, 5), hello);
      client.close();
      streams[0]!.close();
    });

    it("reads nothing before it is asked to, and loses nothing", async () => {
      const streams: SocketStream[] = [];
      const listener = await listenBy(way, { port: 0, host }, (stream) => streams.push(stream));
      const client = new Socket();
      client.connect(listener.port!, host);
      client.write(hello);
      await until(() => streams.length === 1);
      await turns(50);
      if (way !== "data") assert.equal(streams[0]!.bytesRead, 0);
      assert.deepEqual(await read(streams[0]!), hello);
      client.destroy();
      streams[0]!.close();
      await listener.close();
    });

    it("has the peer of a connection that was reset since", async () => {
      const streams: SocketStream[] = [];
      const listener = await listenBy(way, { port: 0, host }, (stream) => streams.push(stream));
      const client = new Socket();
      client.connect(listener.port!, host);
      await Promise.all([once(client, "connect"), until(() => streams.length === 1)]);
      const { port } = client.address() as { port: number };
      const reading = assert.rejects(read(streams[0]!), { code: "core.connection_reset" });
      client.resetAndDestroy();
      await reading;
      assert.deepEqual(streams[0]!.peer, { address: host, port, family: "IPv4" });
      await until(() => listener.connections === 0);
      await listener.close();
    });

    for (const [name, fail] of [
      ["throws", () => assert.fail("mine")],
      ["rejects at once", () => Promise.reject(new Error("mine"))],
      ["rejects later", async (stream) => assert.fail(`mine: ${String(await read(stream))}`)],
    ] satisfies [string, (stream: SocketStream) => unknown][]) {
      it(`closes the stream of a handler that ${name}, reports it, and goes on`, async () => {
        const failures: [unknown, SocketStream | undefined][] = [];
        const streams: SocketStream[] = [];
        const told = (error: unknown, stream?: SocketStream): void => void failures.push([error, stream]);
        const listener = await listenBy(way, { port: 0, host, error: told }, (stream) => {
          streams.push(stream);
          return streams.length === 1 ? fail(stream) : undefined;
        });
        const first = await connect({ port: listener.port, host });
        await writeAll(first, hello);
        await until(() => failures.length === 1);
        assert.match((failures[0]![0] as Error).message, /^mine/);
        assert.equal(failures[0]![1], streams[0]);
        await until(() => listener.connections === 0);
        first.close();
        const second = await connect({ port: listener.port, host });
        await writeAll(second, hello);
        await until(() => streams.length === 2);
        assert.deepEqual(await readExactly(streams[1]!, 5), hello);
        second.close();
        streams[1]!.close();
        await listener.close();
      });
    }

    it("listens on a Unix socket, and removes its file", async () => {
      await withPath(async (path) => {
        const streams: SocketStream[] = [];
        const listener = await listenBy(way, { unix: path }, (stream) => streams.push(stream));
        assert.deepEqual(listener.address(), { unix: path });
        assert.equal(listener.port, undefined);
        const client = await connect({ unix: path });
        await until(() => streams.length === 1);
        assert.deepEqual(client.peer, { unix: path });
        assert.deepEqual(streams[0]!.peer, { unix: path });
        await writeAll(client, hello);
        assert.deepEqual(await readExactly(streams[0]!, 5), hello);
        client.close();
        streams[0]!.close();
        await listener.close();
        assert.equal(existsSync(path), false);
      });
    });
  });
}

describe("listen", () => {
  it("says which port is in use, and what to do", async () => {
    const listener = await listen({ port: 0, host }, ignore);
    const message = new RegExp(`127\\.0\\.0\\.1:${listener.port}: another server .*choose another`);
    await assert.rejects(listen({ port: listener.port, host }, ignore), (error: ServalError) => {
      assert.equal((error.cause as { code?: string }).code, "EADDRINUSE");
      return failsWith("net.address_in_use", message)(error);
    });
    await listener.close();
  });

  it("reports an address that is not this machine's", async () => {
    await assert.rejects(listen({ port: 0, host: "192.0.2.1" }, ignore), failsWith("net.bad_address", /192\.0\.2\.1/));
    await assert.rejects(listen({ port: 70_000 }, ignore), failsWith("net.bad_address", /\*:70000.*port/));
    await assert.rejects(
      listen({ port: 0, host: "2001:db8::1" }, ignore),
      failsWith("net.bad_address", /\[2001:db8::1\]:0/),
    );
  });

  for (const [name, error, expected] of [
    ["there is no handler error", undefined, ["mine"]],
    ["the handler error throws too", () => assert.fail("its own"), ["its own"]],
    ["the handler error rejects", () => Promise.reject(new Error("its own")), ["its own"]],
  ] as const) {
    it(`reports a handler's failure to the console if ${name}`, async (t) => {
      const written = t.mock.method(console, "error", () => {});
      const listener = await listen({ port: 0, host, error }, () => Promise.reject(new Error("mine")));
      const client = await connect({ port: listener.port, host });
      await until(() => written.mock.callCount() === 1);
      const told = written.mock.calls.map((call) => (call.arguments[0] as Error).message);
      assert.deepEqual(told, expected);
      client.close();
      await listener.close();
    });
  }

  it("leaves the stream open when an async handler has returned", async () => {
    const streams: SocketStream[] = [];
    const listener = await listen({ port: 0, host }, async (stream) => void streams.push(stream));
    const client = await connect({ port: listener.port, host });
    await until(() => streams.length === 1);
    await turns();
    await writeAll(client, hello);
    assert.deepEqual(await readExactly(streams[0]!, 5), hello);
    client.close();
    streams[0]!.close();
    await listener.close();
  });

  it("refuses invalid options, and says what is expected", async () => {
    for (const [given, message] of [
      [[], /^listen takes a plain object, such as \{ port: 8080 \}/],
      [[8080, ignore], /^listen takes a plain object, such as \{ port: 8080 \}/],
      [[new URL("http://localhost:8080"), ignore], /^listen takes a plain object/],
      [[{ port: 0 }], /^listen takes a connection handler/],
      [[{ port: 0 }, {}], /^listen takes a connection handler/],
      [[{ port: 0, hostname: host }, ignore], /"hostname": did you mean host\?/],
      [[{ port: 0, backlog: NaN }, ignore], /^backlog must be a whole number/],
      [[{ port: 0, error: 7 }, ignore], /error must be a function/],
      [[{ port: null }, ignore], /^port must be a number, not null/],
      [[{ port: "80" }, ignore], /^port must be a number, not "80"/],
      [[{ port: 0, host: "" }, ignore], /^host must be a non-empty string, not ""/],
      [[{ port: 0, host: Symbol("h") }, ignore], /^host must be a non-empty string, not Symbol/],
      [[{ unix: Object.create(null) }, ignore], /^unix must be a non-empty string, not an object/],
    ] as const) {
      const call = listen as (...given: readonly unknown[]) => Promise<unknown>;
      await assert.rejects(call(...given), failsWith("core.invalid_argument", message));
    }
  });

  it("is aborted by its signal, which has no effect on a listener", async () => {
    const before = listen({ port: 0, host, signal: AbortSignal.abort() }, ignore);
    await assert.rejects(before, failsWith("core.aborted", /./));
    const controller = new AbortController();
    const { signal } = controller;
    // A name, which takes a lookup.
    const given = listen({ port: 0, host: "localhost", signal }, ignore);
    controller.abort(new Error("enough"));
    await assert.rejects(given, (error: ServalError) => {
      assert.deepEqual([error.code, (error.cause as Error).message], ["core.aborted", "enough"]);
      return true;
    });
    const later = new AbortController();
    const listener = await listen({ port: 0, host, signal: later.signal }, (stream) => stream.close());
    later.abort();
    const client = await connect({ port: listener.port, host });
    client.close();
    await listener.close();
    for (const one of [signal, later.signal]) assert.equal(getEventListeners(one, "abort").length, 0);
    await assert.rejects(
      listen({ port: 0, signal: 5 as unknown as AbortSignal }, ignore),
      failsWith("core.invalid_argument", /signal/),
    );
  });

  it("takes either a port or unix", async () => {
    await assert.rejects(listen({}, ignore), failsWith("core.invalid_argument", /either a port or unix/));
    await assert.rejects(
      listen({ port: 0, unix: "/x" }, ignore),
      failsWith("core.invalid_argument", /either a port or unix/),
    );
  });

  it("reports missing permission", async (test) => {
    // Tests may run as root, who may everything.
    const denied = Object.assign(new Error("listen EACCES"), { code: "EACCES" });
    const original = mock.method(Server.prototype, "listen", function (this: Server) {
      queueMicrotask(() => this.emit("error", denied));
      return this;
    });
    test.after(() => original.mock.restore());
    await assert.rejects(
      listen({ port: 80, host }, ignore),
      failsWith("net.access_denied", /127\.0\.0\.1:80.*below 1024/),
    );
  });

  it("reports a missing folder", async () => {
    await withPath(async (path) => {
      await assert.rejects(listen({ unix: `${path}/missing/socket` }, ignore), (error: ServalError) => {
        assert.equal(error.code, "net.bad_address");
        assert.ok(
          error.message.endsWith(`the folder ${path}/missing does not exist. Make it first, or choose another path`),
        );
        return true;
      });
    });
  });

  it("leaves another server's live Unix socket alone", async () => {
    await withPath(async (path) => {
      const other = createServer((socket) => socket.end("alive")).listen(path);
      await once(other, "listening");
      await assert.rejects(listen({ unix: path }, ignore), failsWith("net.address_in_use", /socket: another server/));
      const client = await connect({ unix: path });
      assert.equal(String(await read(client)), "alive");
      client.close();
      other.close();
    });
  });

  it("replaces the Unix socket that a dead process left behind", async () => {
    await withPath(async (path) => {
      const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
      const { spawnSync } = await import("node:child_process");
      spawnSync(process.execPath, ["-e", script]);
      assert.equal(existsSync(path), true);
      const listener = await listen({ unix: path }, (stream) => stream.close());
      const client = await connect({ unix: path });
      assert.equal(await read(client), undefined);
      client.close();
      await listener.close();
    });
  });

  it("does not touch a file that is no socket", async () => {
    await withPath(async (path) => {
      await writeFile(path, "precious");
      await assert.rejects(
        listen({ unix: path }, ignore),
        failsWith("net.bad_address", /: a file is there that is no socket\. Remove it, or choose another path$/),
      );
      await assert.rejects(
        listen({ unix: `${path}/socket` }, ignore),
        failsWith("net.bad_address", /socket is no folder\. Choose another path$/),
      );
      await assert.rejects(
        listen({ unix: dirname(path) }, ignore),
        failsWith("net.bad_address", /: a folder is there that is no socket/),
      );
      assert.equal(existsSync(path), true);
    });
  });

  it("goes on when a connection can't be accepted, and reports it", async () => {
    const servers: Server[] = [];
    const original = mock.method(Server.prototype, "listen", function (this: Server, ...values: unknown[]) {
      servers.push(this);
      return (original.mock.restore(), this.listen(...(values as [])));
    });
    const errors: ServalError[] = [];
    const streams: SocketStream[] = [];
    const reported = mock.method(console, "error", () => {});
    const failing = (error: unknown): void => {
      errors.push(error as ServalError);
      throw error;
    };
    const listener = await listen({ port: 0, host, error: failing }, (stream) => streams.push(stream));
    const handle = (servers[0] as unknown as { _handle: { onconnection(status: number): void } })._handle;
    // What libuv reports for too many open files: UV_EMFILE.
    handle.onconnection(-24);
    reported.mock.restore();
    assert.equal((errors[0]!.cause as { code?: string }).code, "EMFILE");
    assert.deepEqual(reported.mock.calls[0]!.arguments, [errors[0]]);
    const client = await connect({ port: listener.port, host });
    await until(() => streams.length === 1);
    client.close();
    streams[0]!.close();
    await listener.close();
  });

  it("makes sockets for subscribers of net.server.socket, who get each", async () => {
    for (const way of ["handle", "onread"] satisfies Way[]) {
      const seen: unknown[] = [];
      const see = (message: unknown): void => void seen.push((message as { socket: unknown }).socket);
      const streams: SocketStream[] = [];
      const listener = await listenBy(way, { port: 0, host }, (stream) => streams.push(stream));
      subscribe("net.server.socket", see);
      const client = await connect({ port: listener.port, host });
      await until(() => streams.length === 1);
      unsubscribe("net.server.socket", see);
      assert.ok(seen.some((socket) => socket instanceof Socket));
      await writeAll(client, hello);
      assert.deepEqual(await readExactly(streams[0]!, 5), hello);
      client.close();
      streams[0]!.close();
      await until(() => listener.connections === 0);
      await listener.close();
    }
  });

  it("takes only a known transport, by the option or the environment", async () => {
    await assert.rejects(
      listen({ port: 0, host, transport: "pipe" as "handle" }, ignore),
      failsWith("core.invalid_argument", /transport must be "handle" or "socket", not "pipe"/),
    );
    for (const transport of ["handle", "socket"] as const) {
      const listener = await listen({ port: 0, host, transport }, ignore);
      assert.equal(listener.transport, transport);
      await listener.close();
    }
  });
});

it("close rejects for a callback, which it would never call, and the listener still listens", async () => {
  const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => stream.close());
  const close = listener.close.bind(listener) as (callback: unknown) => Promise<void>;
  await assert.rejects(
    close(() => {}),
    { code: "core.invalid_argument", message: /close takes no arguments/ },
  );
  const client = await connect({ host: "127.0.0.1", port: listener.port! });
  client.close();
  await listener.close();
});
