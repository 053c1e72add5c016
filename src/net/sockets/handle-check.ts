import { once } from "node:events";
import { Server, type AddressInfo, type Socket } from "node:net";
import { coreError, systemClock, type ByteStream } from "../../core/index.ts";
import { attentive } from "../../core/internal.ts";
import { takeConnections } from "./accepted-handles.ts";
import { HandleStream } from "./handle-stream.ts";
import { makeSocket } from "./onread.ts";
import { HandleAttempt } from "./outgoing-handle.ts";
import { readBlock } from "./read-block.ts";
import { endOfFile, notConnected, streamWrap, type StreamHandle } from "./stream-handle.ts";

/** How long the check may take, in milliseconds. It takes a few. */
const longest = 1000;
const host = "127.0.0.1";
const letter = new Uint8Array([0x61]);
/** More than the system takes at once: 5 MiB. */
const chunks = 80;
const chunkSize = 64 * 1024;

let outcome: Promise<boolean> | undefined;
let settled: boolean | undefined;

/** What {@link handlesWork} has found out; undefined before. */
export function knownToWork(): boolean | undefined {
  return settled;
}

/**
 * Whether {@link HandleStream} works on this runtime: found out once, on connections over loopback, by reads, writes that
 * the system takes at once and in part, ends, and resets of either side. False also if there is no loopback.
 */
export function handlesWork(): Promise<boolean> {
  return (outcome ??= check().then((works) => (settled = works)));
}

async function check(): Promise<boolean> {
  if (streamWrap() === undefined || endOfFile === undefined || notConnected === undefined) return false;
  const trial = new Trial();
  let timer;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = attentive(systemClock).setTimer(longest, () => reject(coreError("core.timeout")));
    });
    await Promise.race([trial.run(), late]);
    return true;
  } catch {
    return false;
  } finally {
    (timer as { cancel(): void } | undefined)?.cancel();
    trial.end();
  }
}

/** A server and its clients. Where the platform differs from what is expected, it throws or waits for ever. */
class Trial {
  readonly #server = new Server({ allowHalfOpen: true });
  readonly #clients: Socket[] = [];
  readonly #streams: HandleStream[] = [];
  /** What is written, and where clients read; only its size matters. */
  readonly #chunk = new Uint8Array(chunkSize);
  #attempt: HandleAttempt | undefined;

  async run(): Promise<void> {
    // A worker of a cluster would share the port with the other workers, and get connections of theirs.
    this.#server.listen({ port: 0, host, exclusive: true });
    await once(this.#server, "listening");
    await this.#exchange();
    await this.#resets();
    await this.#connectByHandle();
  }

  end(): void {
    for (const client of this.#clients) client.destroy();
    for (const stream of this.#streams) stream.close();
    this.#attempt?.close();
    this.#server.close();
  }

  async #exchange(): Promise<void> {
    const { client, handle } = await this.#connect();
    client.write(letter);
    await readByHand(handle);
    const stream = this.#over(handle);
    client.write(letter);
    expect((await read(stream))?.[0] === letter[0]);
    await write(stream, letter);
    const writing = write(
      stream,
      Array.from({ length: chunks }, () => this.#chunk),
    );
    client.resume();
    await writing;
    client.end();
    expect((await read(stream)) === undefined);
    await new Promise<void>((resolve, reject) => {
      stream.shutdown((error) => (error === undefined ? resolve() : reject(error)));
    });
    if (!client.readableEnded) await once(client, "end");
    expect(client.bytesRead === 1 + chunks * chunkSize);
  }

  async #resets(): Promise<void> {
    const one = await this.#connect();
    const stream = this.#over(one.handle);
    const failed = read(stream).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    one.client.resetAndDestroy();
    expect((await failed) === "core.connection_reset");
    const other = await this.#connect();
    const seen = once(other.client, "error") as Promise<[{ code?: string }]>;
    this.#over(other.handle).reset();
    other.client.resume();
    expect((await seen)[0].code === "ECONNRESET");
  }

  async #connectByHandle(): Promise<void> {
    const accepted = this.#accept();
    const connected = new Promise<StreamHandle>((resolve, reject) => {
      const target = { address: host, port: this.#port };
      this.#attempt = new HandleAttempt(target, (error, handle) => {
        if (handle === undefined) reject(error!);
        else resolve(handle);
      });
    });
    const [ours, theirs] = await Promise.all([connected, accepted]);
    await write(this.#over(ours), letter);
    expect((await read(this.#over(theirs)))?.[0] === letter[0]);
  }

  #over(handle: StreamHandle): HandleStream {
    const stream = new HandleStream(handle, undefined, undefined);
    this.#streams.push(stream);
    return stream;
  }

  async #connect(): Promise<{ client: Socket; handle: StreamHandle }> {
    const client = makeSocket({ onread: { buffer: this.#chunk, callback: () => true } });
    client.pause();
    this.#clients.push(client);
    // Each failure shows in what waits for it.
    client.on("error", () => {});
    const accepted = this.#accept();
    client.connect(this.#port, host);
    const [handle] = await Promise.all([accepted, once(client, "connect")]);
    return { client, handle };
  }

  /** The next handle that the server accepts. */
  #accept(): Promise<StreamHandle> {
    return new Promise((resolve, reject) => {
      const taken = takeConnections(this.#server, (handle) => {
        resolve(handle);
        return true;
      });
      if (!taken) reject(coreError("core.transport"));
    });
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}

/** Reads a byte, and writes none, below the stream, since an exception within a handle's callback would end the process. */
function readByHand(handle: StreamHandle): Promise<void> {
  const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = streamWrap()!;
  return new Promise((resolve, reject) => {
    handle.onread = () => {
      const isRight = streamBaseState[kReadBytesOrError] === 1 && readBlock()[0] === letter[0];
      if (isRight && handle.readStop() === 0) resolve();
      else reject(coreError("core.transport"));
    };
    handle.useUserBuffer(readBlock());
    expect(handle.readStart() === 0);
    expect(handle.writeBuffer(new WriteWrap(), new Uint8Array(0)) === 0);
    expect(streamBaseState[kLastWriteWasAsync] === 0);
  });
}

function read(stream: ByteStream): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    stream.readSome((error, bytes) => (error === undefined ? resolve(bytes?.slice()) : reject(error)));
  });
}

function write(stream: ByteStream, buffers: Uint8Array | readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.writeSome(buffers, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function expect(isRight: boolean): void {
  if (!isRight) throw coreError("core.transport");
}
