import { once } from "node:events";
import type { WebSocket } from "ws";

/** Sends a message once it is open, and returns what comes back. */
export async function messageOf(ws: WebSocket, message: string): Promise<string> {
  await once(ws, "open");
  ws.send(message);
  const [answer] = (await once(ws, "message")) as [Buffer];
  ws.close();
  await once(ws, "close");
  return String(answer);
}
