// Frames as a peer sends and reads them: written from RFC 6455 section 5.2, not with the code that is tested.
import { opcode } from "../../../src/websocket/frames/frame.ts";

/** How a frame departs from the common one: final, masked, its length in the shortest form. */
export interface FrameForm {
  fin?: boolean;
  /** The three reserved bits, as a number. Default 0. */
  rsv?: number;
  /** The four bytes of the masking key; undefined for none. */
  key?: readonly number[] | undefined;
  /** The bits of the length: 7, 16 or 64. */
  form?: 7 | 16 | 64;
  /** The length that the header announces, where that is not the payload's. */
  announced?: number | bigint;
}

const commonKey = [0x12, 0xf4, 0x56, 0x8a];

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

export const single = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** A frame from a client, unless `key: undefined` says otherwise. */
export function frame(code: number, payload: string | Uint8Array = "", form: FrameForm = {}): Uint8Array {
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  const length = BigInt(form.announced ?? bytes.length);
  const key = "key" in form ? form.key : commonKey;
  const bits = form.form ?? (length <= 125n ? 7 : length <= 65_535n ? 16 : 64);
  const first = (form.fin === false ? 0 : 0x80) | ((form.rsv ?? 0) << 4) | code;
  const masked = key === undefined ? 0 : 0x80;
  const extended = new DataView(new ArrayBuffer(8));
  extended.setBigUint64(0, length);
  const size = bits === 7 ? 0 : bits / 8;
  return concat(
    Uint8Array.of(first, masked | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127)),
    new Uint8Array(extended.buffer, 8 - size),
    Uint8Array.from(key ?? []),
    key === undefined ? bytes : bytes.map((byte, i) => byte ^ key[i % 4]),
  );
}

export const text = (payload: string | Uint8Array, form?: FrameForm): Uint8Array => frame(opcode.text, payload, form);
export const binary = (payload: string | Uint8Array, form?: FrameForm): Uint8Array =>
  frame(opcode.binary, payload, form);
export const more = (payload: string | Uint8Array, form?: FrameForm): Uint8Array =>
  frame(opcode.continuation, payload, form);
export const ping = (payload: string | Uint8Array = "", form?: FrameForm): Uint8Array =>
  frame(opcode.ping, payload, form);
export const pong = (payload: string | Uint8Array = "", form?: FrameForm): Uint8Array =>
  frame(opcode.pong, payload, form);

/** The payload of a close frame. */
const closing = (code: number, reason: string | Uint8Array = ""): Uint8Array =>
  concat(Uint8Array.of(code >> 8, code & 0xff), typeof reason === "string" ? utf8(reason) : reason);
export const close = (code?: number, reason?: string | Uint8Array, form?: FrameForm): Uint8Array =>
  frame(opcode.close, code === undefined ? new Uint8Array(0) : closing(code, reason), form);

/** Who masks what it sends, and who does not. */
export type Sender = "client" | "server";

/** A frame as it was sent. */
export interface SentFrame {
  code: number;
  fin: boolean;
  /** The three reserved bits, as a number. */
  rsv: number;
  /** The masking key of a client's. */
  key: Uint8Array | undefined;
  /** The payload, unmasked. */
  payload: Uint8Array;
}

/** Reads the frames that one side sent; bytes that are not a whole frame are an error, and so is a mask that ought not to be there, or is missing. */
export function framesIn(bytes: Uint8Array, sender: Sender = "server"): SentFrame[] {
  const frames: SentFrame[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const size = frameSize(rest);
    if (size === undefined || size > rest.length) throw new Error(`${rest.length} bytes are no whole frame`);
    frames.push(firstFrame(rest.subarray(0, size), sender));
    rest = rest.subarray(size);
  }
  return frames;
}

/** How many bytes of `bytes` are whole frames. */
export function wholeFrames(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    const size = frameSize(bytes.subarray(at));
    if (size === undefined || at + size > bytes.length) return at;
    at += size;
  }
}

/** Frames as short texts: `text hello`, `close 1000 bye`, `pong 616263`. */
export function describeFrames(bytes: Uint8Array, sender: Sender = "server"): string[] {
  return framesIn(bytes, sender).map(describeFrame);
}

/** A frame as a short text, with what is not common about it. */
export function describeFrame({ code, fin, rsv, payload }: SentFrame): string {
  const hex = Buffer.from(payload).toString("hex");
  const readable = code === opcode.close && payload.length >= 2;
  const value = readable ? `${(payload[0] << 8) | payload[1]}${Buffer.from(payload.subarray(2)).toString()}` : hex;
  const name = Object.entries(opcode).find(([, number]) => number === code)?.[0] ?? `opcode ${code}`;
  const shown = code === opcode.text && rsv === 0 ? Buffer.from(payload).toString() : value;
  return `${name}${fin ? "" : " (not final)"}${rsv === 0 ? "" : ` (rsv ${rsv})`} ${shown}`.trim();
}

function frameSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < 2) return undefined;
  const length = bytes[1] & 0x7f;
  const keySize = bytes[1] >= 0x80 ? 4 : 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (length < 126) return 2 + keySize + length;
  if (length === 126) return bytes.length < 4 ? undefined : 4 + keySize + view.getUint16(2);
  return bytes.length < 10 ? undefined : 10 + keySize + Number(view.getBigUint64(2));
}

function firstFrame(bytes: Uint8Array, sender: Sender): SentFrame {
  const isMasked = bytes[1] >= 0x80;
  if (isMasked !== (sender === "client")) throw new Error(`A ${sender}'s frame has ${isMasked ? "a" : "no"} mask`);
  const length = bytes[1] & 0x7f;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  const key = isMasked ? bytes.slice(header, header + 4) : undefined;
  const payload = bytes.slice(header + (key?.length ?? 0));
  return {
    code: bytes[0] & 0x0f,
    fin: bytes[0] >= 0x80,
    rsv: (bytes[0] >> 4) & 7,
    key,
    payload: key === undefined ? payload : payload.map((byte, i) => byte ^ key[i % 4]),
  };
}
