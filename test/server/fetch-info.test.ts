import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import type { FetchInfo, ServeOptions } from "../../src/server/index.ts";
import { localhost } from "../support/localhost.ts";
import { until } from "../support/until.ts";
import { dial, dialTls, serving } from "./support/sockets.ts";

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const encoder = new TextEncoder();

test("info.tls has the facts of the connection's TLS, and is undefined without TLS", async () => {
  const seen: unknown[] = [];
  const options: ServeOptions = {
    tls: localhost,
    plain: true,
    fetch(_, { tls, peer }) {
      seen.push(
        tls && [tls.protocol, tls.servername, tls.authorized, tls.peerCertificate, typeof tls.cipher],
        peer?.address,
      );
      return new Response();
    },
  };
  await serving(options, async (server) => {
    for (const dialed of [await dialTls(server), await dial(server)]) {
      dialed.socket.write(get);
      await until(() => dialed.received.includes("\r\n\r\n"));
      dialed.socket.destroy();
    }
  });
  assert.deepEqual(seen, [["TLSv1.3", "localhost", false, undefined, "string"], "127.0.0.1", undefined, "127.0.0.1"]);
});

test("info.signal aborts when a drain begins, so that an event stream ends and is whole; in the handler's context", async () => {
  const storage = new AsyncLocalStorage<string>();
  const contexts: (string | undefined)[] = [];
  const options: ServeOptions = {
    fetch: (_, info) =>
      storage.run("handler", () => {
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(encoder.encode("data: 1\n\n"));
            info.signal.addEventListener("abort", () => {
              contexts.push(storage.getStore());
              controller.enqueue(encoder.encode(`data: ${(info.signal.reason as { code: string }).code}\n\n`));
              controller.close();
            });
          },
        });
        return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
      }),
  };
  await serving(options, async (server) => {
    const dialed = await dial(server, get);
    await until(() => dialed.received.includes("data: 1\n\n"));
    const drained = storage.run("drainer", () => server.drain());
    assert.deepEqual(contexts, []);
    await dialed.closed;
    assert.match(dialed.received, /data: core\.aborted\n\n\r\n0\r\n\r\n$/);
    assert.deepEqual(contexts, ["handler"]);
    const { finished, cut } = await drained;
    assert.deepEqual([finished, cut], [1, 0]);
  });
});

test("a handler that fails since the drain told it to stop is answered 503, and not reported", async () => {
  const reported: unknown[] = [];
  for (const fail of [
    (signal: AbortSignal) => signal.reason as Error,
    () => Object.assign(new Error("stopped"), { name: "AbortError" }),
  ]) {
    const options: ServeOptions = {
      fetchError: (error) => reported.push(error),
      fetch: (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(fail(signal)))),
    };
    await serving(options, async (server) => {
      const dialed = await dial(server, get);
      await until(() => server.stats().requests === 1);
      void server.drain();
      await until(() => dialed.received.includes("\r\n\r\n"));
      assert.match(dialed.received, /^HTTP\/1\.1 503 .*Retry-After: /s);
      dialed.socket.destroy();
    });
  }
  assert.deepEqual(reported, []);
});

test("the signal of a request that is answered does not abort any more, and one asked for during a drain has", async () => {
  const infos: FetchInfo[] = [];
  await serving(
    {
      fetch(request, info) {
        infos.push(info);
        if (!request.url.endsWith("/late")) void info.signal;
        return new Response();
      },
    },
    async (server) => {
      const [one, other] = [await dial(server, get + get), await dial(server, get)];
      await until(() => infos.length === 3);
      other.socket.destroy();
      await until(() => server.connections === 1);
      void server.drain();
      await one.closed;
      assert.deepEqual(
        infos.map(({ signal }) => signal.aborted),
        // The last request of a connection is known to be answered when the next one comes, or the connection ends.
        [false, true, false],
      );
    },
  );
});
