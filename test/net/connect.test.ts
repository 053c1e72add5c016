import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import dns from "node:dns";
import { once } from "node:events";
import { Socket } from "node:net";
import { describe, it, mock } from "node:test";
import type { ServalError } from "../../src/core/index.ts";
import { connect, listen } from "../../src/net/index.ts";
import { connectBy } from "../../src/net/connect.ts";
import { NodeSocketStream } from "../../src/net/sockets/node-socket-stream.ts";
import type { Way } from "../../src/net/sockets/transport.ts";
import { isStuck, read, turns, until } from "../core/support/stream-operations.ts";
import { failsWith } from "./support/fails-with.ts";
import { withPath } from "./support/sockets.ts";
import { freePort } from "../support/free-port.ts";

for (const way of ["handle", "onread", "data"] satisfies Way[]) {
  describe(`connect, ${way}`, () => {
    it("tries all addresses of a host", async () => {
      const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
        stream.writeSome(Buffer.from("hello"), () => stream.close());
      });
      const stream = await connectBy(way, { port: listener.port });
      assert.equal(String(await read(stream)), "hello");
      assert.equal(await read(stream), undefined);
      stream.close();
      await listener.close();
    });

    it("reports that nothing listens", async () => {
      const port = await freePort();
      await assert.rejects(connectBy(way, { port, host: "127.0.0.1" }), (error: ServalError) => {
        assert.equal((error.cause as { code?: string }).code, "ECONNREFUSED");
        assert.equal(error.condition, "transport");
        return failsWith("net.connection_refused", new RegExp(`127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))(error);
      });
      await assert.rejects(
        connectBy(way, { port }),
        failsWith("net.connection_refused", /localhost:\d+: .*ECONNREFUSED/),
      );
      await withPath((path) =>
        assert.rejects(connectBy(way, { unix: path }), failsWith("net.connection_refused", /ENOENT/)),
      );
    });

    it("takes the address that has answered while the event loop was blocked", async (t) => {
      const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
        stream.writeSome(Buffer.from("hello"), () => stream.close());
      });
      t.mock.method(dns, "lookup", (_host: string, _options: unknown, found: (...args: unknown[]) => void) => {
        const addresses = [
          { address: "127.0.0.1", family: 4 },
          { address: "::1", family: 6 },
        ];
        setImmediate(() => {
          found(null, addresses);
          // Node.js has begun with the first address. It gives it up after 250 ms, before it looks whether it has answered.
          for (const end = performance.now() + 500; performance.now() < end;);
        });
      });
      const stream = await connectBy(way, { port: listener.port, host: "two.example" });
      assert.equal(String(await read(stream)), "hello");
      stream.close();
      await listener.close();
      // Nothing listens at any of them: the error is that of all together, and it ends.
      await assert.rejects(connectBy(way, { port: listener.port, host: "two.example" }), (error: ServalError) => {
        assert.ok(error.cause instanceof AggregateError);
        return true;
      });
    });

    it("is aborted by a signal, before and while it connects", async () => {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      await assert.rejects(connectBy(way, { port: 1 }, { signal }), (error: ServalError) => {
        assert.equal(error.cause, reason);
        return failsWith("core.aborted", /aborted/)(error);
      });
      const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => stream.close());
      const controller = new AbortController();
      const attempt = connectBy(way, { port: listener.port, host: "127.0.0.1" }, { signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(attempt, { code: "core.aborted" });
      await listener.close();
    });

    it("leaves no listener on the signal once it has connected", async () => {
      const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
        stream.readSome(() => stream.close());
      });
      const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort() }))(
        new AbortController(),
      );
      const removed = mock.method(signal, "removeEventListener");
      const stream = await connectBy(way, { port: listener.port, host: "127.0.0.1" }, { signal });
      assert.equal(removed.mock.callCount(), 1);
      abort();
      const reading = read(stream);
      assert.ok(await isStuck(reading));
      stream.close();
      await assert.rejects(reading, { code: "core.aborted" });
      await until(() => listener.connections === 0);
      await listener.close();
    });
  });
}

describe("connect", () => {
  it("makes sockets where net.client.socket has subscribers, who get those that Node.js tells of", async (t) => {
    const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
      stream.writeSome(Buffer.from("hello"), () => stream.close());
    });
    t.after(() => listener.close());
    const seen: unknown[] = [];
    const see = (message: unknown): void => void seen.push((message as { socket: unknown }).socket);
    subscribe("net.client.socket", see);
    t.after(() => unsubscribe("net.client.socket", see));
    // Node.js 20 tells only of sockets that `net.connect` makes.
    const plain = new Socket().connect(listener.port!, "127.0.0.1").resume();
    await once(plain, "close");
    const each = seen.length;
    for (const way of ["handle", "onread"] satisfies Way[]) {
      for (const host of ["127.0.0.1", "localhost"]) {
        seen.length = 0;
        const stream = await connectBy(way, { port: listener.port, host });
        assert.ok(stream instanceof NodeSocketStream);
        assert.equal(seen.length, each);
        assert.ok(seen.every((socket) => socket instanceof Socket));
        assert.equal(String(await read(stream)), "hello");
        stream.close();
      }
    }
  });

  it("reports an unknown host", async (test) => {
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND nowhere"), { code: "ENOTFOUND" });
    // No name server is asked in a test.
    const original = mock.method(dns, "lookup", (_host: string, _options: unknown, found: (error: Error) => void) => {
      setImmediate(found, cause);
    });
    test.after(() => original.mock.restore());
    for (const way of ["handle", "onread"] satisfies Way[]) {
      await assert.rejects(
        connectBy(way, { port: 1, host: "nowhere" }),
        failsWith("net.host_not_found", /nowhere:1: .*ENOTFOUND/),
      );
    }
    assert.equal(original.mock.callCount(), 2);
  });

  it("refuses an invalid target", async () => {
    await assert.rejects(connect({ port: 70_000 }), failsWith("core.invalid_argument", /[Pp]ort/));
    const call = connect as (...given: unknown[]) => Promise<unknown>;
    for (const given of [[], [8080, "host"], [new URL("http://host:8080")], ["http://host"], [{}], [{ host: "a" }]]) {
      await assert.rejects(
        call(...given),
        failsWith("core.invalid_argument", /^connect takes (a plain object, such as )?\{ port, host \} or \{ unix \}/),
      );
    }
    await assert.rejects(call({ port: 1, unix: "/x" }), failsWith("core.invalid_argument", /\{ port, host \} or/));
    await assert.rejects(call({ port: "1" }), failsWith("core.invalid_argument", /^port must be a number, not "1"/));
    await assert.rejects(
      call({ port: 1, host: Object.create(null) }),
      failsWith("core.invalid_argument", /^host must/),
    );
    await assert.rejects(call({ unix: 7 }), failsWith("core.invalid_argument", /^unix must be a non-empty string/));
    for (const name of ["transport", "signal"]) {
      const message = new RegExp(
        `^connect takes ${name} in its second argument: connect\\(\\{ port, host \\}, \\{ ${name}`,
      );
      await assert.rejects(call({ port: 1, [name]: "socket" }), failsWith("core.invalid_argument", message));
    }
    await assert.rejects(call({ port: 1, hostname: "a" }), failsWith("core.invalid_argument", /did you mean host\?/));
    await assert.rejects(
      call({ port: 1, family: "IPv4" }),
      failsWith("core.invalid_argument", /family must be 4 or 6/),
    );
    await assert.rejects(
      call({ port: 1 }, "host"),
      failsWith("core.invalid_argument", /^connect takes a plain object, such as \{ signal \}/),
    );
    await assert.rejects(
      call({ port: 1 }, { timeout: 9 }),
      failsWith("core.invalid_argument", /a signal ends it, as in { signal: AbortSignal.timeout/),
    );
    await assert.rejects(call({ port: 1 }, { signal: {} }), failsWith("core.invalid_argument", /AbortSignal/));
  });

  it("leaves no unhandled rejection if nobody awaits it", async () => {
    void connect({ port: 70_000 });
    void connect({ port: await freePort(), host: "127.0.0.1" });
    await turns();
  });
});
