// What every example with a chat at /chat does, beside what is its framework's own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket, type ClientOptions } from "ws";
import type { Example } from "./example.ts";

/** A client of the chat that is open; a listener that is there from the start hears every message. */
export async function join(url: string, options: ClientOptions = {}): Promise<WebSocket> {
  const ws = new WebSocket(url, options);
  await once(ws, "open");
  return ws;
}

/** The status that an upgrade is refused with. */
export function refusal(url: string, options: ClientOptions = {}): Promise<number | undefined> {
  const ws = new WebSocket(url, options);
  return new Promise((resolve, reject) => {
    ws.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode);
      ws.terminate();
    });
    ws.on("open", () => reject(new Error(`${url} is let in`)));
    ws.on("error", reject);
  });
}

/** What the next message is. */
export async function heard(ws: WebSocket): Promise<string> {
  const [message] = (await once(ws, "message")) as [Buffer];
  return String(message);
}

/** Two clients hear each other and not themselves; pages of other sites are refused. Returns the two. */
export async function chats(url: string, options: ClientOptions = {}): Promise<readonly [WebSocket, WebSocket]> {
  const [ann, bob] = await Promise.all([join(url, options), join(url, options)]);
  const bobHears = heard(bob);
  ann.send("hello");
  assert.equal(await bobHears, "hello");
  // What comes first is not her own.
  const annHears = heard(ann);
  bob.send("how are you?");
  assert.equal(await annHears, "how are you?");
  assert.equal(await refusal(url, { ...options, origin: "https://elsewhere.example" }), 403);
  return [ann, bob];
}

/** It ends in good order: every client is told, and the program exits by itself. */
export async function drains({ stop }: Example, clients: readonly WebSocket[]): Promise<void> {
  const codes = Promise.all(clients.map(async (ws) => ((await once(ws, "close")) as [number])[0]));
  const { code } = await stop();
  assert.deepEqual(
    await codes,
    clients.map(() => 1001),
  );
  assert.equal(code, 0);
}
