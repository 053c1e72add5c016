// Clients made of plain sockets and ready-made bytes.
import assert from "node:assert/strict";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Target } from "./target.ts";

/** How a request differs from an ordinary one. */
export interface RequestParts {
  readonly path?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A request for an upgrade. */
export function upgradeRequest({ path = "/", headers = {} }: RequestParts = {}): string {
  const own = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export const final = 0x80;
export const compressed = 0x40;

/** The header of a masked frame that promises `length` bytes, as a BigInt where a number can't say it. */
export function header(first: number, length: number | bigint): Buffer {
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  if (length <= 125) return Buffer.concat([Buffer.from([first, 0x80 | Number(length)]), key]);
  if (length <= 0xffff) return Buffer.concat([Buffer.from([first, 0xfe, Number(length) >> 8, Number(length)]), key]);
  const wide = Buffer.alloc(10);
  wide.set([first, 0xff]);
  wide.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([wide, key]);
}

/** A masked frame. */
export function frame(first: number, payload: string | Uint8Array = ""): Buffer {
  const bytes = Buffer.from(payload as string);
  const head = header(first, bytes.length);
  const at = head.length - 4;
  return Buffer.concat([head, bytes.map((byte, i) => byte ^ head[at + (i & 3)]!)]);
}

/** The same bytes so many times. */
export function times(count: number, bytes: Uint8Array): Buffer {
  return Buffer.alloc(count * bytes.length, bytes);
}

export function closeFrame(code: number): Buffer {
  return frame(final | opcodes.close, Buffer.from([code >> 8, code & 0xff]));
}

/** How a connection has ended, as its client saw it. */
export interface End {
  /** The code of the close frame that came; undefined if none did. */
  readonly code: number | undefined;
  /** What the socket failed with. */
  readonly error: string | undefined;
}

/** One connection: what comes is taken apart, and a close frame answered. */
export class Client {
  readonly socket: Socket;
  /** The status of the response. */
  readonly status: Promise<number>;
  readonly ended: Promise<End>;
  /** The messages that have come and were not asked for yet; where `onMessage` is set, it gets them. */
  readonly messages: string[] = [];
  onMessage: ((message: Buffer) => void) | undefined;
  pongs = 0;
  code: number | undefined;
  #waiting: ((message: string) => void) | undefined;
  #input: Buffer = Buffer.alloc(0);
  /** Of a message that has begun. */
  #fragments: Buffer[] = [];
  #hasHead = false;
  #floods = false;
  #answered!: (status: number) => void;

  constructor(socket: Socket) {
    this.socket = socket;
    this.status = new Promise((resolve) => (this.#answered = resolve));
    let error: string | undefined;
    socket.on("error", (failure: NodeJS.ErrnoException) => (error = failure.code ?? failure.message));
    socket.on("data", (chunk) => this.#received(chunk));
    this.ended = new Promise((resolve) => {
      socket.on("close", () => {
        // There is none.
        this.#answered(0);
        resolve({ code: this.code, error });
      });
    });
  }

  /** Connects, without sending anything. */
  static connect(target: { readonly port: number }, options: Partial<NetConnectOpts> = {}): Client {
    return new Client(connect({ port: target.port, host: "127.0.0.1", noDelay: true, ...options } as NetConnectOpts));
  }

  /** Connects and opens a WebSocket. */
  static async open(target: { readonly port: number }, parts?: RequestParts): Promise<Client> {
    const client = Client.connect(target);
    client.send(upgradeRequest(parts));
    assert.equal(await client.status, 101);
    return client;
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  text(message: string): void {
    this.socket.write(frame(final | opcodes.text, message));
  }

  /** Reads on, and looks at nothing of it. */
  ignore(): void {
    this.socket.removeAllListeners("data").resume();
  }

  /** The next message. Fails if the connection ends instead. */
  async next(): Promise<string> {
    const there = this.messages.shift();
    if (there !== undefined) return there;
    const message = new Promise<string>((resolve) => (this.#waiting = resolve));
    return Promise.race([
      message,
      this.ended.then((end) => assert.fail(`ended before the next message: ${JSON.stringify(end)}`)),
    ]);
  }

  /** Closes in good order, and waits until all is over. */
  async close(code = 1000): Promise<void> {
    this.send(closeFrame(code));
    assert.deepEqual(await this.ended, { code, error: undefined });
  }

  /** Sends bytes over and over, as fast as they are taken, until the connection ends or `stop`. */
  flood(bytes: Uint8Array): void {
    const { socket } = this;
    this.#floods = true;
    const more = (): void => {
      while (this.#floods && socket.writable && socket.write(bytes));
      if (this.#floods && socket.writable) socket.once("drain", more);
    };
    more();
  }

  stop(): void {
    this.#floods = false;
  }

  #received(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    if (!this.#hasHead) {
      const end = this.#input.indexOf("\r\n\r\n");
      if (end < 0) return;
      const status = Number(this.#input.toString("latin1", 9, 12));
      this.#hasHead = true;
      this.#answered(status);
      this.#input = status === 101 ? this.#input.subarray(end + 4) : Buffer.alloc(0);
    }
    while (this.#takeFrame());
  }

  #takeFrame(): boolean {
    const input = this.#input;
    if (input.length < 2) return false;
    const short = input[1]!;
    const at = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (input.length < at) return false;
    const size = at === 2 ? short : at === 4 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2));
    if (input.length < at + size) return false;
    this.#input = input.subarray(at + size);
    this.#handle(input[0]!, input.subarray(at, at + size));
    return true;
  }

  #handle(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    if (opcode === opcodes.pong) this.pongs++;
    else if (opcode === opcodes.ping) this.send(frame(final | opcodes.pong, payload));
    else if (opcode === opcodes.close) {
      this.code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
      // The answer, or what is nothing more than superfluous.
      if (this.socket.writable) this.send(closeFrame(payload.length === 0 ? 1000 : this.code));
    } else {
      this.#fragments.push(payload);
      if (first < final) return;
      this.#deliver(this.#fragments.length === 1 ? payload : Buffer.concat(this.#fragments));
      this.#fragments = [];
    }
  }

  #deliver(message: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.onMessage !== undefined) this.onMessage(message);
    else if (waiting !== undefined) waiting(message.toString());
    else this.messages.push(message.toString());
  }
}

/** Opens many, some at a time: a machine has room for a few hundred that wait to be accepted. */
export async function openMany<T>(count: number, open: (i: number) => Promise<T>): Promise<T[]> {
  const opened: T[] = Array.from({ length: count });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      opened[i] = await open(i);
    }
  };
  await Promise.all(Array.from({ length: 200 }, worker));
  return opened;
}

/** A client that behaves, beside others that don't: it sends a message, waits for the echo, sends the next. */
export class Bystander {
  readonly #client: Client;
  readonly #done: Promise<void>;
  #isOver = false;
  #echoes = 0;
  #slowest = 0;

  private constructor(client: Client) {
    this.#client = client;
    this.#done = this.#run();
    // It is told of in `stop`.
    this.#done.catch(() => {});
  }

  static async start(target: Target): Promise<Bystander> {
    return new Bystander(await Client.open(target));
  }

  /** Ends it in good order. It has lost nothing, and was never left waiting for long. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
    await this.#client.close();
    assert.ok(this.#echoes > 0);
    assert.ok(this.#slowest < 10_000, `an echo took ${this.#slowest} ms`);
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const sent = performance.now();
      this.#client.text(`bystander ${number}`);
      assert.equal(await this.#client.next(), `bystander ${number}`);
      this.#slowest = Math.max(this.#slowest, performance.now() - sent);
      this.#echoes++;
      // At a human pace, so that the others have the machine.
      await delay(5);
    }
  }
}
