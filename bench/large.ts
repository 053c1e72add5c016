import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type * as net from "node:net";
import { constants, createDeflateRaw } from "node:zlib";
import { MessageCounter, upgraded } from "./load.ts";

const mebibyte = 1024 * 1024;

interface Passage {
  name: string;
  /** Bytes of the message. */
  size: number;
  deflate: boolean;
}

const passages: readonly Passage[] = [
  { name: "4 GiB in one frame", size: 4096 * mebibyte, deflate: false },
  { name: "1 GiB deflated, in frames as they come", size: 1024 * mebibyte, deflate: true },
];

/** Sends one message through a server that hands it back part by part, and prints the most memory that it took. */
export async function large(): Promise<void> {
  console.log("\nOne large message through readSome and back through writeSome: the server's largest resident memory");
  for (const passage of passages) {
    const child = fork(new URL("contender.js", import.meta.url), [
      "serval in parts",
      ...(passage.deflate ? ["deflate"] : []),
    ]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    const socket = await upgraded(port, passage.deflate);
    const began = performance.now();
    const frames = await pass(socket, passage);
    const seconds = (performance.now() - began) / 1000;
    const memory = await largestMemory(child);
    socket.destroy();
    child.disconnect();
    const rate = passage.size / mebibyte / seconds;
    console.log(
      `  ${passage.name}: ${memory.toFixed(0)} MB, ${rate.toFixed(0)} MiB/s, back in ${frames} frames (bar: 150 MB)`,
    );
  }
}

async function largestMemory(child: ChildProcess): Promise<number> {
  child.send("memory");
  const [{ maxRSS }] = (await once(child, "message")) as [{ maxRSS: number }];
  return (maxRSS * 1024) / 1e6;
}

/** Sends the message and awaits the end of its echo; returns in how many frames that came. */
async function pass(socket: net.Socket, { size, deflate }: Passage): Promise<number> {
  const counter = new MessageCounter();
  const back = new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => counter.count(chunk) > 0 && resolve());
    socket.on("close", () => reject(new Error("The server closed the connection")));
  });
  if (deflate) await sendDeflated(socket, size);
  else await sendWhole(socket, size);
  await back;
  if (!deflate && counter.payload !== size) throw new Error(`${counter.payload} bytes came back`);
  return counter.frames;
}

const block = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => i * 7));

/** A key of zeros leaves the payload as it is: that is the server's business, not the load's. */
async function sendWhole(socket: net.Socket, size: number): Promise<void> {
  const header = Buffer.alloc(14);
  header[0] = 0x82;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(size), 2);
  socket.write(header);
  for (let sent = 0; sent < size; sent += block.length) {
    if (!socket.write(block)) await once(socket, "drain");
  }
}

/** A frame for whatever the compressor gives; the last one ends with the flush, of which four bytes are left out. */
async function sendDeflated(socket: net.Socket, size: number): Promise<void> {
  const deflater = createDeflateRaw({ level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  const feed = (async () => {
    for (let fed = 0; fed < size; fed += block.length) {
      if (!deflater.write(block)) await once(deflater, "drain");
    }
    deflater.end();
  })();
  let held: Buffer | undefined;
  let first = 0x42;
  const send = async (payload: Buffer, final: number): Promise<void> => {
    const header = Buffer.alloc(payload.length > 0xffff ? 14 : 8);
    header[0] = first | final;
    header[1] = payload.length > 0xffff ? 0xff : 0xfe;
    if (payload.length > 0xffff) header.writeBigUInt64BE(BigInt(payload.length), 2);
    else header.writeUInt16BE(payload.length, 2);
    first = 0;
    socket.write(header);
    if (!socket.write(payload)) await once(socket, "drain");
  };
  for await (const chunk of deflater as AsyncIterable<Buffer>) {
    held = held === undefined ? chunk : Buffer.concat([held, chunk]);
    if (held.length < 1000) continue;
    await send(held.subarray(0, -4), 0);
    held = held.subarray(-4);
  }
  await feed;
  // Enough is left for the length to be of the form that the header has.
  const rest = held!.subarray(0, -4);
  const header = Buffer.alloc(6);
  header[0] = first | 0x80;
  header[1] = 0x80 | rest.length;
  if (rest.length > 125) await send(rest, 0x80);
  else socket.write(Buffer.concat([header, rest]));
}
