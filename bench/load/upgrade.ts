import { FrameCounter } from "./frame-counter.ts";
import type { Deflate } from "./frames.ts";
import { headSize } from "./http-forms.ts";
import { ask, openWire, type Wire } from "./wire.ts";

const takeover = "permessage-deflate";
const noTakeover = `${takeover}; server_no_context_takeover; client_no_context_takeover`;
/** What a server has to say to the key (RFC 6455 section 1.3). */
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A request for an upgrade. Its key is always the same: no server may care. */
function upgradeRequest(path: string, deflate: Deflate): Buffer {
  const offer = deflate === "takeover" ? takeover : noTakeover;
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      `${deflate !== false ? `Sec-WebSocket-Extensions: ${offer}\r\n` : ""}\r\n`,
  );
}

/** How a WebSocket is opened. */
interface Opening {
  readonly deflate?: Deflate;
  readonly tls?: boolean;
  readonly path?: string;
  /** Whether the server sends a message at once, which is awaited. */
  readonly isGreeted?: boolean;
}

/** A connection whose other side speaks WebSocket from here on, with compression just where it is asked for. */
export async function openWebSocket(
  port: number,
  { deflate = false, tls = false, path = "/echo", isGreeted = false }: Opening = {},
): Promise<Wire> {
  const wire = await openWire(port, tls);
  try {
    const request = upgradeRequest(path, deflate);
    const head = (await ask(wire, request, (received) => isOpen(received, isGreeted))).toString("latin1");
    if (!head.startsWith("HTTP/1.1 101")) throw new Error(`no upgrade: ${head.split("\r\n")[0]}`);
    if (!head.includes(accept)) throw new Error("the server's accept value is not that of the key");
    checkDeflate(head, deflate);
    return wire;
  } catch (error) {
    wire.close();
    throw error;
  }
}

/** Whether the head of the response is there, and after it the message of a server that greets, if it has accepted. */
function isOpen(received: Buffer, isGreeted: boolean): boolean {
  const size = headSize(received);
  if (size === 0 || !isGreeted || !received.toString("latin1", 0, 12).endsWith("101")) return size > 0;
  return new FrameCounter().count(received.subarray(size), received.length - size) > 0;
}

/** Both directions are to be as asked for. */
function checkDeflate(head: string, deflate: Deflate): void {
  if ((deflate !== false) !== /permessage-deflate/i.test(head)) {
    throw new Error(deflate ? "compression was not agreed on" : "compression was agreed on, which was not offered");
  }
  const isReset = ["server", "client"].map((side) => new RegExp(`${side}_no_context_takeover`, "i").test(head));
  if (deflate !== false && isReset.some((resets) => resets === (deflate === "takeover"))) {
    throw new Error(`context takeover is not as asked for: ${/^sec-websocket-extensions:.*/im.exec(head)?.[0]}`);
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
