import { once } from "node:events";
import * as net from "node:net";

/** How a server is loaded. */
export interface Load {
  /** Bytes of each message. */
  size: number;
  /** Messages that each connection has in flight. */
  depth: number;
  connections: number;
  /** Messages in all. */
  messages: number;
}

const request = (port: number): string =>
  `GET /echo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** Connections to an echo server that speak WebSocket in ready-made bytes, so that the load itself costs little. */
export class Client {
  readonly #sockets: net.Socket[];

  private constructor(sockets: net.Socket[]) {
    this.#sockets = sockets;
  }

  static async connect(port: number, connections: number): Promise<Client> {
    const sockets: net.Socket[] = [];
    for (let i = 0; i < connections; i++) {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
      socket.write(request(port));
      let head = "";
      while (!head.endsWith("\r\n\r\n")) head += String((await once(socket, "data"))[0]);
      if (!head.startsWith("HTTP/1.1 101")) throw new Error(`The upgrade failed: ${head}`);
      sockets.push(socket);
    }
    return new Client(sockets);
  }

  /** Sends batches of `depth` messages on every connection, each when the one before has come back whole. */
  async echo({ size, depth, messages }: Load): Promise<void> {
    const batch = Buffer.concat(Array.from({ length: depth }, () => maskedFrame(size)));
    const echoed = depth * (headerSize(size) + size);
    const rounds = Math.max(1, Math.round(messages / depth / this.#sockets.length));
    await Promise.all(this.#sockets.map((socket) => echoRounds(socket, batch, echoed, rounds)));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function echoRounds(socket: net.Socket, batch: Buffer, echoed: number, rounds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = rounds;
    let missing = echoed;
    const onData = (chunk: Buffer): void => {
      missing -= chunk.length;
      if (missing > 0) return;
      if (missing < 0) return reject(new Error("More came back than was sent"));
      if (--left === 0) {
        socket.off("data", onData);
        socket.off("close", onClose);
        return resolve();
      }
      missing = echoed;
      socket.write(batch);
    };
    const onClose = (): void => reject(new Error("The server closed the connection"));
    socket.on("data", onData);
    socket.on("close", onClose);
    socket.write(batch);
  });
}

function headerSize(size: number): number {
  return size <= 125 ? 2 : size <= 0xffff ? 4 : 10;
}

/** A binary message as a client sends it. */
function maskedFrame(size: number): Buffer {
  const header = Buffer.alloc(headerSize(size));
  header[0] = 0x82;
  if (size <= 125) header[1] = 0x80 | size;
  else if (size <= 0xffff) {
    header[1] = 0xfe;
    header.writeUInt16BE(size, 2);
  } else {
    header[1] = 0xff;
    header.writeBigUInt64BE(BigInt(size), 2);
  }
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  const payload = Buffer.alloc(size);
  for (let i = 0; i < size; i++) payload[i] = (i * 31) ^ key[i & 3]!;
  return Buffer.concat([header, key, payload]);
}
