// What floods consist of: input that is cheap to send and work to take.
import { deflateRawSync } from "node:zlib";
import { deflatedFrame, maskedFrame, messageFrame } from "./frames.ts";

/** What a flood is made of: bytes to send over and over. */
interface FloodForm {
  /** Whether they are requests; otherwise they are frames of a WebSocket. */
  readonly isHttp: boolean;
  readonly bytes: () => Buffer;
}

/** At least this much is sent at once. */
const block = 64 * 1024;
const mebibyte = 1024 * 1024;

const opcodes = { text: 0x81, binary: 0x82, ping: 0x89 } as const;
const deflatedBinary = opcodes.binary | 0x40;

function frames(frame: () => Buffer): FloodForm {
  return { isHttp: false, bytes: () => repeated(frame()) };
}

function requests(request: () => Buffer): FloodForm {
  return { isHttp: true, bytes: () => repeated(request()) };
}

function repeated(bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(block / bytes.length) }, () => bytes));
}

/** The end of a stream of DEFLATE that has nothing in it: a final block with fixed codes, and its end (RFC 1951 section 3.2.6). */
const emptyStream = Uint8Array.of(0x03, 0x00);

/** Streams of DEFLATE that hold nothing, one after the other, and one that holds a byte. */
function streams(count: number): Buffer {
  return Buffer.concat([...Array.from({ length: count }, () => emptyStream), deflateRawSync(Uint8Array.of(1))]);
}

/** Characters of one to four bytes, so that a string of them takes two bytes for each. */
function mixedText(size: number): Buffer {
  const some = Buffer.from("Zażółć gęślą jaźń, 日本語, 🦊. ");
  const whole = Math.floor(size / some.length);
  return Buffer.concat([...Array.from({ length: whole }, () => some), Buffer.alloc(size - whole * some.length, "x")]);
}

const oneByteChunks = (): Buffer =>
  Buffer.from(
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(10_000)}0\r\n\r\n`,
  );

/** All floods, by name. */
export const floodForms = {
  /** The least that a message can be. */
  messages: frames(() => maskedFrame(opcodes.text, Buffer.from("x"))),
  pings: frames(() => maskedFrame(opcodes.ping, Buffer.alloc(125, "x"))),
  /** 81 bytes that become 60,000. */
  inflate: frames(() => deflatedFrame(opcodes.binary, new Uint8Array(60_000))),
  /** 267 bytes that become 250,000. */
  bombs: frames(() => deflatedFrame(opcodes.binary, new Uint8Array(250_000))),
  /** Of a megabyte each, for a server that reads messages in parts. */
  parts: frames(() => deflatedFrame(opcodes.binary, new Uint8Array(mebibyte))),
  /** Messages of a thousand streams of DEFLATE (RFC 7692 section 7.2.3.4). */
  streams: frames(() => maskedFrame(deflatedBinary, streams(1000))),
  /** What takes a server long to compress again. */
  compressed: frames(() => messageFrame({ size: 30_000, text: true, deflate: true }, 0)),
  /** Of a megabyte each, of bytes that are only copied. */
  long: frames(() => maskedFrame(opcodes.binary, new Uint8Array(mebibyte))),
  texts: frames(() => maskedFrame(opcodes.text, mixedText(16 * mebibyte))),
  requests: requests(() => Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")),
  chunks: requests(oneByteChunks),
} as const satisfies Readonly<Record<string, FloodForm>>;

/** One of {@link floodForms}. */
export type FloodKind = keyof typeof floodForms;
