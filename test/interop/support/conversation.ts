// What clients of the WHATWG interface say to an echo, and what has to come of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Agent, WebSocket as UndiciWebSocket } from "undici";
import { WebSocket as WsWebSocket, WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { connect } from "../../../src/client/index.ts";
import type { Stream, StreamOptions } from "../../../src/websocket/index.ts";
import { localhost } from "../../support/localhost.ts";

/** What any client of the WHATWG interface can do. */
export interface Client {
  binaryType: string;
  readonly protocol: string;
  readonly extensions: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
}

/** How a connection ended, for a client. */
export interface ClientClose {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Our own client, behind the WHATWG interface. */
class OurClient implements Client {
  binaryType = "arraybuffer";
  protocol = "";
  readonly extensions = "";
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  #ws: Stream | undefined;

  constructor(url: string) {
    const tell = (handler: unknown, event: object): void => {
      if (typeof handler === "function") (handler as (event: object) => void)(event);
    };
    connect(url, {
      tls: { ca: localhost.cert },
      message: (_, data) => tell(this.onmessage, { data }),
      error: (_, error) => tell(this.onerror, { error }),
      close: (_, { code, reason, clean }) => tell(this.onclose, { code, reason, wasClean: clean }),
    }).then(
      (ws) => {
        this.#ws = ws;
        this.protocol = ws.protocol;
        tell(this.onopen, {});
      },
      (error: unknown) => tell(this.onerror, { error }),
    );
  }

  send(data: string | Uint8Array): void {
    this.#ws!.send(data);
  }

  close(code = 1005, reason = ""): void {
    void this.#ws!.close({ code, reason });
  }
}

const trusting = new Agent({ connect: { rejectUnauthorized: false } });

/** The clients, by name. They take any certificate. */
export const clients: readonly [name: string, connect: (url: string) => Client][] = [
  ["ws", (url) => new WsWebSocket(url, { rejectUnauthorized: false }) as unknown as Client],
  ["undici", (url) => new UndiciWebSocket(url, { dispatcher: trusting }) as unknown as Client],
  ["our client", (url) => new OurClient(url)],
];

/** A stream with these options sends back what comes. */
export const echo: StreamOptions = { message: (ws, message) => ws.write(message) };

/** All kinds of messages, some of 3 MB. */
const payloads: readonly (string | Uint8Array)[] = [
  "",
  "text",
  "ünï©ødé 🦊",
  "x".repeat(125),
  "x".repeat(126),
  "é".repeat(40_000),
  new Uint8Array(0),
  Uint8Array.from({ length: 64 }, (_, i) => i),
  Uint8Array.from({ length: 65_535 }, (_, i) => i * 7),
  Uint8Array.from({ length: 65_536 }, (_, i) => i * 11),
  Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 13),
];

/** Fulfils when the client is open; rejects if it fails first. */
export function opened(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.onopen = resolve;
    client.onerror = (event: { error?: unknown }) => reject(event.error ?? new Error("The client failed"));
  });
}

/** Fulfils with the next `count` messages, in order; rejects if the connection fails first. */
export function messages(client: Client, count: number): Promise<(string | Uint8Array)[]> {
  client.binaryType = "arraybuffer";
  const received: (string | Uint8Array)[] = [];
  return new Promise((resolve, reject) => {
    client.onerror = reject;
    client.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      received.push(typeof data === "string" ? data : new Uint8Array(data));
      if (received.length === count) resolve(received);
    };
  });
}

/** Fulfils with how the connection ended, once it has. What goes wrong before shows in that. */
export function closing(client: Client): Promise<ClientClose> {
  client.onerror = () => {};
  return new Promise((resolve) => {
    client.onclose = ({ code, reason, wasClean }: ClientClose) => resolve({ code, reason, wasClean });
  });
}

/** Sends everything at once, sees it come back in order, then closes with 4321 and the reason "done". */
export async function converse(client: Client, said: readonly (string | Uint8Array)[] = payloads): Promise<void> {
  await opened(client);
  const received = messages(client, said.length);
  for (const payload of said) client.send(payload);
  assert.deepEqual(await received, said);
  const closed = closing(client);
  client.close(4321, "done");
  const { code, wasClean } = await closed;
  assert.deepEqual({ code, wasClean }, { code: 4321, wasClean: true });
}

/** A server of ws's that echoes. */
export class WsEcho implements AsyncDisposable {
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  static async listen(perMessageDeflate: boolean | PerMessageDeflateOptions = false): Promise<WsEcho> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate });
    server.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
    await once(server, "listening");
    return new WsEcho(server);
  }

  /** The next connection that is made to it. */
  async connected(): Promise<WsWebSocket> {
    const [ws] = (await once(this.#server, "connection")) as [WsWebSocket];
    return ws;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
