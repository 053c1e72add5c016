// tRPC's handler, which takes an instance, with its own client.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { createTRPCClient, createWSClient, TRPCClientError, wsLink } from "@trpc/client";
import { WebSocket, WebSocketServer } from "serval/ws";
import { start, type Router } from "./support/hosts/trpc.ts";

async function opened(t: TestContext) {
  const host = await start();
  assert.ok(host.wss instanceof WebSocketServer);
  const events = new EventEmitter();
  const socket = createWSClient({
    url: host.url,
    onClose: () => void events.emit("close"),
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => 0,
  });
  t.after(async () => {
    await socket.close();
    await host.close();
  });
  return { host, events, client: createTRPCClient<Router>({ links: [wsLink({ client: socket })] }) };
}

type Calls = Awaited<ReturnType<typeof opened>>["client"];

/** What a subscription brings to its end. */
const counted = (client: Calls, most: number): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const got: number[] = [];
    client.count.subscribe(most, {
      onData: (value: unknown) => void got.push(value as number),
      onComplete: () => resolve(got),
      onError: reject,
    });
  });

describe("tRPC over serval", () => {
  it("calls, fails and subscribes", async (t) => {
    const { client } = await opened(t);
    assert.equal(await client.add.query({ a: 2, b: 3 }), 5);
    await assert.rejects(
      client.fail.mutate(),
      (error) => error instanceof TRPCClientError && error.message === "not you",
    );
    assert.deepEqual(await counted(client, 3), [1, 2, 3]);
  });

  it("reconnects when its connection is lost", async (t) => {
    const { host, events, client } = await opened(t);
    assert.equal(await client.add.query({ a: 1, b: 1 }), 2);
    // A request that is under way when the connection is lost fails.
    const lost = once(events, "close");
    for (const ws of host.wss.clients) ws.terminate();
    await lost;
    assert.equal(await client.add.query({ a: 1, b: 2 }), 3);
  });
});
