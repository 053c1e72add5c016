// A client that keeps what it receives, from the package ws itself.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** A client of the package ws, and its messages in their order. */
export class Client {
  readonly ws: WebSocket;
  readonly #received: string[] = [];
  #arrived: () => void = () => {};

  constructor(url: string, protocols?: string[], options?: { origin?: string }) {
    this.ws = new WebSocket(url, protocols, options);
    this.ws.on("message", (data: Buffer, isBinary) => {
      this.#received.push(isBinary ? data.toString("hex") : data.toString());
      this.#arrived();
    });
  }

  /** Opens, or rejects with the error. */
  async opened(): Promise<void> {
    await once(this.ws, "open");
  }

  /** The next message: text, or bytes as hexadecimal digits. */
  async next(): Promise<string> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#received.shift()!;
  }

  /** Sends, and waits for the next message. */
  async ask(data: string | Uint8Array): Promise<string> {
    this.ws.send(data);
    return this.next();
  }

  /** How it is closed. */
  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = (await once(this.ws, "close")) as [number, Buffer];
    return { code, reason: reason.toString() };
  }
}

/** The status of the response to a handshake that is refused, and its body. */
export async function refusal(url: string): Promise<{ status: number | undefined; body: string }> {
  const ws = new WebSocket(url);
  const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode, body: Buffer.concat(pieces).toString() };
}
