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

/** What the messages of a load are. */
export interface MessageForm {
  readonly size: number;
  readonly text: boolean;
  readonly deflate: boolean;
}

/** The payload of a message: bytes, or JSON that is different for every number. */
export function payload({ size, text }: MessageForm, number: number): Buffer {
  return text ? Buffer.from(jsonText(size, number)) : Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * 31));
}

/** A message as a client sends it, in one frame. */
export function messageFrame(form: MessageForm, number: number): Buffer {
  const data = payload(form, number);
  const first = form.text ? 0x81 : 0x82;
  return form.deflate ? deflatedFrame(first, data) : maskedFrame(first, data);
}

/** A message compressed without context takeover (RFC 7692 section 7.2.1). */
export function deflatedFrame(first: number, data: Uint8Array): Buffer {
  const deflated = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  return maskedFrame(first | 0x40, deflated.subarray(0, -4));
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
