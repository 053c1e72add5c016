import { ask, openWire, type Wire } from "./wire.ts";

const offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** A request for an upgrade. Its key is always the same: no server may care. */
function upgradeRequest(deflate: boolean): Buffer {
  return Buffer.from(
    "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      `${deflate ? `Sec-WebSocket-Extensions: ${offer}\r\n` : ""}\r\n`,
  );
}

/** Where the head of a message ends; 0 while it has not. */
export function headSize(received: Buffer): number {
  const end = received.indexOf("\r\n\r\n");
  return end === -1 ? 0 : end + 4;
}

/** A connection whose other side speaks WebSocket from here on, with compression just where it is asked for. */
export async function openWebSocket(
  port: number,
  { deflate = false, tls = false }: { deflate?: boolean; tls?: boolean } = {},
): Promise<Wire> {
  const wire = await openWire(port, tls);
  try {
    const request = upgradeRequest(deflate);
    const head = (await ask(wire, request, (received) => headSize(received) > 0)).toString("latin1");
    if (!head.startsWith("HTTP/1.1 101")) throw new Error(`no upgrade: ${head.split("\r\n")[0]}`);
    if (deflate !== /permessage-deflate/i.test(head)) {
      throw new Error(deflate ? "compression was not agreed on" : "compression was agreed on, which was not offered");
    }
    return wire;
  } catch (error) {
    wire.close();
    throw error;
  }
}

/** Opens so many, a few at a time. */
export async function openMany(count: number, open: () => Promise<Wire>): Promise<Wire[]> {
  const wires: Wire[] = [];
  let begun = 0;
  const some = async (): Promise<void> => {
    while (begun++ < count) wires.push(await open());
  };
  await Promise.all(Array.from({ length: Math.min(32, count) }, some));
  return wires;
}
