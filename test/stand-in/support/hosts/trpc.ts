import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { initTRPC, TRPCError } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocketServer } from "serval/ws";

const t = initTRPC.create();

const router = t.router({
  add: t.procedure.input((value: unknown) => value as { a: number; b: number }).query(({ input }) => input.a + input.b),
  fail: t.procedure.mutation(() => {
    throw new TRPCError({ code: "FORBIDDEN", message: "not you" });
  }),
  count: t.procedure
    .input((value: unknown) => value as number)
    .subscription(async function* ({ input: most }) {
      for (let count = 1; count <= most; count++) yield count;
    }),
});
export type Router = typeof router;

/** tRPC's procedures over WebSockets. */
export async function start() {
  const wss = new WebSocketServer({ port: 0 });
  const handler = applyWSSHandler({ wss, router });
  await once(wss, "listening");
  const { port } = wss.address() as AddressInfo;
  const close = () => {
    handler.broadcastReconnectNotification();
    for (const ws of wss.clients) ws.terminate();
    return new Promise<void>((resolve) => wss.close(() => resolve()));
  };
  return { url: `ws://127.0.0.1:${port}`, wss, close };
}
