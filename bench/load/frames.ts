import { constants, deflateRawSync } from "node:zlib";

/** A client's frame with this first byte. The masking key is always the same: no server may care. */
export function maskedFrame(first: number, payload: Uint8Array): Buffer {
  const size = payload.length;
  const header = Buffer.alloc(size <= 125 ? 2 : size <= 0xffff ? 4 : 10);
  header[0] = first;
  if (size <= 125) {
    header[1] = 0x80 | size;
  } else if (size <= 0xffff) {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(size, 2);
  } else {
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(size), 2);
  }
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([header, key, payload.map((byte, i) => byte ^ key[i & 3]!)]);
}

/** A close frame of a client, with the code 1000 (RFC 6455 section 7.4.1). */
export const closeFrame: Buffer = maskedFrame(0x88, Uint8Array.of(0x03, 0xe8));

/** permessage-deflate: each message compressed separately, or with context takeover in both directions (RFC 7692). */
export type Deflate = boolean | "takeover";

/** What the messages of a load are. */
export interface MessageForm {
  readonly size: number;
  readonly text: boolean;
  readonly deflate: Deflate;
  /** Whether the text is an event of Socket.IO. */
  readonly isEvent?: boolean;
}

/**
 * An event `message` of this many characters, at least 40: Engine.IO's type of packet, then Socket.IO's, then the name and
 * the data. A server that parses it makes the same of it again.
 */
function eventText(size: number, number: number): string {
  const text = (name: string): string => `42${JSON.stringify(["message", { id: number, name }])}`;
  return text("x".repeat(size - text("").length));
}

/** The payload of a message: bytes, or JSON that is different for every number. */
export function payload({ size, text, isEvent = false }: MessageForm, number: number): Buffer {
  if (isEvent) return Buffer.from(eventText(size, number));
  return text ? Buffer.from(jsonText(size, number)) : Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * 31));
}

/** A message as a client sends it, in one frame. With context takeover it is the first one of a connection. */
export function messageFrame(form: MessageForm, number: number): Buffer {
  return frameOf(form, payload(form, number));
}

function frameOf({ text, deflate }: MessageForm, data: Buffer, history?: Buffer): Buffer {
  const first = text ? 0x81 : 0x82;
  return deflate === false ? maskedFrame(first, data) : deflatedFrame(first, data, history);
}

/**
 * The first messages of a connection. With context takeover each but the first refers to those before, so that they may
 * be sent in this order alone, and again from the first on after the last.
 */
export function messageFrames(form: MessageForm, count: number): Buffer[] {
  let history = Buffer.alloc(0);
  return Array.from({ length: count }, (_, number) => {
    const data = payload(form, number);
    const frame = frameOf(form, data, history);
    if (form.deflate === "takeover") history = Buffer.concat([history, data]).subarray(-windowSize);
    return frame;
  });
}

/** How far back a message may refer, at most (RFC 7692 section 7.1.2). */
const windowSize = 32 * 1024;

/** A message compressed: alone (RFC 7692 section 7.2.1), or with what came before it as its context. */
export function deflatedFrame(first: number, data: Uint8Array, history: Buffer = Buffer.alloc(0)): Buffer {
  const dictionary = history.length > 0 ? { dictionary: history } : {};
  const deflated = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
  return maskedFrame(first | 0x40, deflated.subarray(0, -4));
}

/** What a connection gets of messages that the programs publish: each has its number in every byte. */
export function publishedFrames(count: number, size: number): Buffer {
  const header = Buffer.from([0x82, 0x7e, size >> 8, size & 0xff]);
  return Buffer.concat(
    Array.from({ length: count }, (_, number) => Buffer.concat([header, Buffer.alloc(size, number & 0xff)])),
  );
}

const words = ["open", "high", "low", "close", "volume", "bid", "ask", "symbol", "trade", "quote"];

/** JSON of this many characters, at least 16. */
function jsonText(size: number, number: number): string {
  let seed = number + 1;
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31);
  let json = `{"id":${number}`;
  while (json.length < size - 24) {
    json += `,"${words[random() % words.length]}${random() % 100}":${(random() % 1_000_000) / 100}`;
  }
  return `${json.padEnd(size - 1)}}`;
}
