import { connect as connectTls } from "node:tls";

/** A connection to a server under load: bytes out, and bytes in that are lent until `onData` returns. */
export interface Wire {
  onData: (bytes: Uint8Array, length: number) => void;
  /** The server has ended the connection, or it has failed. */
  onEnd: () => void;
  /** What was sent has left this process, after a `send` that returned false. */
  onSent: () => void;
  /** Returns whether all bytes have left at once. They may not change before they have. */
  send(bytes: Uint8Array): boolean;
  close(): void;
  /** Ends it so that the server sees a failure. */
  reset(): void;
}

/** What is used of a TCP handle of Node.js: all that `net.Socket` adds costs more than the load itself. */
interface Handle {
  onread: () => void;
  connect(request: object, address: string, port: number): number;
  setNoDelay(on: boolean): void;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
  reset(closed?: () => void): number;
  close(): void;
}

interface Bindings {
  TCP: new (kind: number) => Handle;
  TCPConnectWrap: new () => { oncomplete: (status: number) => void };
  constants: { SOCKET: number };
  WriteWrap: new () => { oncomplete: (status: number) => void; bytes: Uint8Array };
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
}

const { binding } = process as unknown as { binding(name: string): Bindings };
const { TCP, TCPConnectWrap, constants } = binding("tcp_wrap");
const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding("stream_wrap");

/** Every read goes here: nothing is kept of what a server sends. */
const input = Buffer.allocUnsafeSlow(256 * 1024);
const host = "127.0.0.1";
const ignore = (): void => {};

class TcpWire implements Wire {
  onData: (bytes: Uint8Array, length: number) => void = ignore;
  onEnd: () => void = ignore;
  onSent: () => void = ignore;
  readonly #handle: Handle;
  #isOpen = true;

  constructor(handle: Handle) {
    this.#handle = handle;
    handle.setNoDelay(true);
    handle.useUserBuffer(input);
    handle.onread = () => {
      const length = streamBaseState[kReadBytesOrError]!;
      if (length > 0) this.onData(input, length);
      else if (length < 0 && this.#isOpen) this.onEnd();
    };
    handle.readStart();
  }

  send(bytes: Uint8Array): boolean {
    if (!this.#isOpen) return true;
    const request = new WriteWrap();
    request.oncomplete = () => this.#isOpen && this.onSent();
    request.bytes = bytes;
    if (this.#handle.writeBuffer(request, bytes) !== 0) {
      queueMicrotask(this.onEnd);
      return true;
    }
    return streamBaseState[kLastWriteWasAsync] === 0;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handle.close();
  }

  reset(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handle.reset(ignore);
  }
}

function openTcp(port: number): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const handle = new TCP(constants.SOCKET);
    const request = new TCPConnectWrap();
    const refused = (): void => {
      handle.close();
      reject(new Error(`no connection to port ${port}`));
    };
    request.oncomplete = (status) => (status === 0 ? resolve(new TcpWire(handle)) : refused());
    if (handle.connect(request, host, port) !== 0) refused();
  });
}

function openTls(port: number): Promise<Wire> {
  return new Promise((resolve, reject) => {
    // The certificate is one for tests.
    const socket = connectTls({ host, port, rejectUnauthorized: false }, () => {
      socket.off("error", reject);
      socket.setNoDelay(true);
      const wire: Wire = {
        onData: ignore,
        onEnd: ignore,
        onSent: ignore,
        send: (bytes) => socket.write(bytes),
        close: () => socket.destroy(),
        reset: () => socket.destroy(),
      };
      socket.on("data", (bytes: Buffer) => wire.onData(bytes, bytes.length));
      socket.on("drain", () => wire.onSent());
      socket.on("error", ignore);
      socket.on("close", () => wire.onEnd());
      resolve(wire);
    });
    socket.on("error", reject);
  });
}

/** Opens a connection to a port of this machine. */
export function openWire(port: number, tls = false): Promise<Wire> {
  return tls ? openTls(port) : openTcp(port);
}

/** Sends a request, and gives the bytes that come until `isWhole` holds for them. Fails with what that throws. */
export function ask(wire: Wire, request: Uint8Array, isWhole: (received: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    wire.onData = (bytes, length) => {
      received = Buffer.concat([received, bytes.subarray(0, length)]);
      try {
        if (isWhole(received)) resolve(received);
      } catch (error) {
        reject(error as Error);
      }
    };
    wire.onEnd = () => reject(new Error(`the server ended a connection after ${received.length} bytes of a reply`));
    wire.send(request);
  });
}
