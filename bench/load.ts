import { once } from "node:events";
import * as net from "node:net";
import { constants, deflateRawSync } from "node:zlib";

/** How a server is loaded. */
export interface Load {
  /** Bytes of each message. */
  size: number;
  /** Messages that each connection has in flight. */
  depth: number;
  connections: number;
  /** Messages in all. */
  messages: number;
  /** Whether the messages are JSON texts, each another, that are compressed without context takeover. */
  deflate?: boolean;
}

const offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** A request for an upgrade. */
export const request = (port: number, deflate: boolean): string =>
  `GET /echo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  `${deflate ? `Sec-WebSocket-Extensions: ${offer}\r\n` : ""}\r\n`;

/** A socket whose other side speaks WebSocket from here on. */
export async function upgraded(port: number, deflate: boolean): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(request(port, deflate));
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += String((await once(socket, "data"))[0]);
  if (!head.startsWith("HTTP/1.1 101")) throw new Error(`The upgrade failed: ${head}`);
  if (deflate !== head.includes("permessage-deflate")) throw new Error(`Not what was offered: ${head}`);
  return socket;
}

/** Connections to an echo server that speak WebSocket in ready-made bytes, so that the load itself costs little. */
export class Client {
  readonly #sockets: net.Socket[];

  private constructor(sockets: net.Socket[]) {
    this.#sockets = sockets;
  }

  static async connect(port: number, { connections, deflate = false }: Load): Promise<Client> {
    const sockets: net.Socket[] = [];
    const connectSome = async (): Promise<void> => {
      for (let left = connections; left > 0; left = connections - begun) {
        begun++;
        sockets.push(await upgraded(port, deflate));
      }
    };
    let begun = 0;
    await Promise.all(Array.from({ length: Math.min(16, connections) }, connectSome));
    return new Client(sockets);
  }

  /** Resolves when so many bytes have come in all; to be called before they are sent. */
  receive(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = bytes;
      const onData = (chunk: Buffer): void => {
        left -= chunk.length;
        if (left > 0) return;
        for (const socket of this.#sockets) socket.off("data", onData);
        if (left < 0) reject(new Error("More came than was sent"));
        else resolve();
      };
      for (const socket of this.#sockets) socket.on("data", onData);
    });
  }

  /** Sends batches of `depth` messages on every connection, each when the one before has come back whole. */
  async echo({ size, depth, messages, deflate = false }: Load): Promise<void> {
    // Distinct ones: a compressor that has seen a message before has an easy time.
    const batches = Array.from({ length: deflate ? Math.ceil(256 / depth) : 1 }, (_, batch) =>
      Buffer.concat(
        Array.from({ length: depth }, (_, i) => (deflate ? deflatedFrame(size, batch * depth + i) : binaryFrame(size))),
      ),
    );
    const rounds = Math.max(1, Math.round(messages / depth / this.#sockets.length));
    await Promise.all(this.#sockets.map((socket, i) => echoRounds(socket, batches, i, depth, rounds)));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function echoRounds(
  socket: net.Socket,
  batches: readonly Buffer[],
  first: number,
  depth: number,
  rounds: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let round = 0;
    let missing = depth;
    const counter = new MessageCounter();
    const send = (): void => {
      missing = depth;
      socket.write(batches[(first + round) % batches.length]!);
    };
    const onData = (chunk: Buffer): void => {
      missing -= counter.count(chunk);
      if (missing > 0) return;
      if (missing < 0) return reject(new Error("More came back than was sent"));
      if (++round < rounds) return send();
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve();
    };
    const onClose = (): void => reject(new Error("The server closed the connection"));
    socket.on("data", onData);
    socket.on("close", onClose);
    send();
  });
}

/** Counts the messages of a server by the headers of their frames. */
export class MessageCounter {
  /** How many frames there were, and bytes of their payloads. */
  frames = 0;
  payload = 0;
  #header: Buffer = Buffer.alloc(0);
  /** What is left of the payload of a frame, and whether its message ends with it. */
  #left = 0;
  #isLast = false;

  count(chunk: Buffer): number {
    let messages = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + 10)]);
        const before = at;
        const size = this.#parse();
        if (size === undefined) return messages;
        // Bytes of the header that came before this chunk are none of it.
        at = before + size - (this.#header.length - Math.min(10, chunk.length - before));
        this.#header = Buffer.alloc(0);
      }
      const taken = Math.min(this.#left, chunk.length - at);
      at += taken;
      this.payload += taken;
      this.#left -= taken;
      if (this.#left === 0 && this.#isLast) messages++;
    }
    return messages;
  }

  /** The size of the header; undefined while it is not whole. */
  #parse(): number | undefined {
    const header = this.#header;
    if (header.length < 2) return undefined;
    const short = header[1]!;
    const size = headerSize(short < 126 ? short : short === 126 ? 126 : 0x10000);
    if (header.length < size) return undefined;
    this.#isLast = header[0]! >= 0x80;
    this.frames++;
    this.#left = size === 2 ? short : size === 4 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
    return size;
  }
}

function headerSize(size: number): number {
  return size <= 125 ? 2 : size <= 0xffff ? 4 : 10;
}

/** A close frame of a client, with the code 1000. */
export const closeFrame: Buffer = maskedFrame(0x88, Buffer.from([0x03, 0xe8]));

/** A binary message as a client sends it. */
export function binaryFrame(size: number): Buffer {
  return maskedFrame(0x82, Buffer.from(Array.from({ length: size }, (_, i) => i * 31)));
}

/** A JSON text of this size, unlike that of any other number, as a client sends it compressed. */
function deflatedFrame(size: number, number: number): Buffer {
  const words = ["open", "high", "low", "close", "volume", "bid", "ask", "symbol", "trade", "quote"];
  let seed = number + 1;
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31);
  const fields: Record<string, unknown> = { id: number, time: `2026-11-${10 + (number % 20)}T10:00:00.000Z` };
  while (JSON.stringify(fields).length < size - 20) {
    fields[`${words[random() % words.length]}${random() % 100}`] = (random() % 1_000_000) / 100;
  }
  const json = JSON.stringify(fields)
    .slice(0, size - 1)
    .padEnd(size - 1, "0");
  const payload = deflateRawSync(`${json}}`, { finishFlush: constants.Z_SYNC_FLUSH });
  return maskedFrame(0xc1, payload.subarray(0, -4));
}

function maskedFrame(first: number, payload: Buffer): Buffer {
  const size = payload.length;
  const header = Buffer.alloc(headerSize(size));
  header[0] = first;
  if (size <= 125) header[1] = 0x80 | size;
  else if (size <= 0xffff) {
    header[1] = 0xfe;
    header.writeUInt16BE(size, 2);
  } else {
    header[1] = 0xff;
    header.writeBigUInt64BE(BigInt(size), 2);
  }
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([header, key, payload.map((byte, i) => byte ^ key[i & 3]!)]);
}
