import { randomFillSync } from "node:crypto";
import type { Duplex } from "node:stream";
import { givenReason } from "./close-reason.ts";
import type { Callback, SendOptions } from "./output.ts";
import { bytesOf, bytesOfBlob, empty, isBlob } from "./payload.ts";
import { PerMessageDeflate } from "./permessage-deflate.ts";
import { SendQueue } from "./send-queue.ts";
import { compressionOf } from "./settings.ts";

/** How {@link Sender.frame} makes a frame (RFC 6455 section 5.2). */
export interface FrameOptions {
  /** The opcode. */
  opcode: number;
  /** Whether it is the last frame of its message. Default false. */
  fin?: boolean | undefined;
  /** The bit RSV1: whether the payload is compressed. Default false. */
  rsv1?: boolean | undefined;
  /** Whether it is masked. Default false. */
  mask?: boolean | undefined;
  /** Whether the payload is left as it is; otherwise it is masked in place. Default false. */
  readOnly?: boolean | undefined;
  /** Fills in the four bytes of the masking key. Default: random bytes. */
  generateMask?: ((mask: Buffer) => void) | undefined;
  /** Where the masking key is put. */
  maskBuffer?: Buffer | undefined;
}

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const keys = Buffer.alloc(8 * 1024);
let nextKey = keys.length;

function fillRandomly(mask: Buffer): void {
  if (nextKey === keys.length) {
    randomFillSync(keys);
    nextKey = 0;
  }
  nextKey += keys.copy(mask, 0, nextKey, nextKey + 4);
}

/** The bytes of a frame before its payload (RFC 6455 section 5.2), with `room` for more. */
function header(
  { opcode, fin, rsv1, mask }: FrameOptions,
  length: number,
  key: Buffer | undefined,
  room: number,
): Buffer {
  const lengthSize = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = Buffer.allocUnsafe(2 + lengthSize + (key === undefined ? 0 : 4) + room);
  bytes[0] = opcode | (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0);
  bytes[1] = (mask ? 0x80 : 0) | (lengthSize === 0 ? length : lengthSize === 2 ? 126 : 127);
  if (lengthSize === 2) bytes.writeUInt16BE(length, 2);
  if (lengthSize === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  key?.copy(bytes, 2 + lengthSize, 0, 4);
  return bytes;
}

function applyMask(source: Uint8Array, key: Uint8Array, target: Uint8Array, offset: number): void {
  for (let i = 0; i < source.length; i++) target[offset + i] = source[i]! ^ key[i & 3]!;
}

/** Writes frames to a stream, for programs that conduct a connection themselves. A WebSocket sends without it. */
export class Sender {
  /** Gets the error of a Blob that could not be read. */
  onerror: (error: Error) => void = () => {};
  readonly #socket: Duplex;
  readonly #deflate: PerMessageDeflate | undefined;
  readonly #generateMask: ((mask: Buffer) => void) | undefined;
  readonly #mask: Buffer = Buffer.alloc(4);
  readonly #queue: SendQueue = new SendQueue(
    () => this.#socket.destroyed,
    (error) => this.onerror(error),
  );
  /** Of a message that has begun: whether it is compressed. */
  #compress: boolean | undefined;

  /** `extensions` are the negotiated ones by name; `generateMask` fills in masking keys. */
  constructor(
    socket: Duplex,
    extensions?: Readonly<Record<string, PerMessageDeflate>>,
    generateMask?: (mask: Buffer) => void,
  ) {
    this.#socket = socket;
    this.#deflate = extensions?.[PerMessageDeflate.extensionName];
    this.#generateMask = generateMask;
  }

  /** A frame, as one or two pieces to be written one after the other. A payload that is not `readOnly` may be masked in place. */
  static frame(data: string | Buffer, options: FrameOptions): Buffer[] {
    const payload = typeof data === "string" ? Buffer.from(data) : data;
    const { length } = payload;
    if (!options.mask) {
      const head = header(options, length, undefined, 0);
      return length === 0 ? [head] : [head, payload];
    }
    const key = options.maskBuffer ?? Buffer.alloc(4);
    (options.generateMask ?? fillRandomly)(key);
    const isMaskable = length > 0 && (key[0]! | key[1]! | key[2]! | key[3]!) !== 0;
    const isCopied = isMaskable && options.readOnly === true && payload === data;
    const head = header(options, length, key, isCopied ? length : 0);
    if (isCopied) {
      applyMask(payload, key, head, head.length - length);
      return [head];
    }
    if (isMaskable) applyMask(payload, key, payload, 0);
    return length === 0 ? [head] : [head, payload];
  }

  /** How many bytes wait to be compressed, or for a Blob. */
  get _bufferedBytes(): number {
    return this.#queue.bytes;
  }

  /** Sends a message, or with `fin: false` a fragment of one. The callback is called when it was written, or with an error. */
  send(data: unknown, options: SendOptions, callback?: Callback): void {
    const isBegun = this.#compress !== undefined;
    const code = isBegun ? opcode.continuation : options.binary ? opcode.binary : opcode.text;
    const payload = payloadOf(data);
    const deflate = this.#deflate;
    const compress = (this.#compress ??=
      Boolean(options.compress) && deflate !== undefined && isWorthIt(deflate, sizeOf(payload)));
    if (options.fin) this.#compress = undefined;
    const frame = this.#frameOptions(code, options.mask, isReadOnly(payload, data));
    frame.fin = options.fin;
    frame.rsv1 = compress && !isBegun;
    this.#send(payload, compress, frame, callback);
  }

  /** Sends a ping of at most 125 bytes. */
  ping(data: unknown, mask?: boolean, callback?: Callback): void {
    this.#control(opcode.ping, data, mask, callback);
  }

  /** Sends a pong of at most 125 bytes. */
  pong(data: unknown, mask?: boolean, callback?: Callback): void {
    this.#control(opcode.pong, data, mask, callback);
  }

  /** Sends a close frame, with a close code and a reason of at most 123 bytes. */
  close(code?: number, reason?: string | Uint8Array, mask?: boolean, callback?: Callback): void {
    this.#send(closePayload(code, reason), false, this.#frameOptions(opcode.close, mask, false), callback);
  }

  /** Writes the pieces of a frame; the callback is called when the last one was written. */
  sendFrame(list: readonly (Uint8Array | string)[], callback?: Callback): void {
    const socket = this.#socket;
    const last = list.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(list[i]!);
    socket.write(list[last]!, callback);
    if (last > 0) socket.uncork();
  }

  #control(code: number, data: unknown, mask: boolean | undefined, callback: Callback | undefined): void {
    const payload = payloadOf(data);
    if (sizeOf(payload) > 125) throw new RangeError("The data size must not be greater than 125 bytes");
    this.#send(payload, false, this.#frameOptions(code, mask, isReadOnly(payload, data)), callback);
  }

  #frameOptions(code: number, mask: boolean | undefined, readOnly: boolean): FrameOptions {
    const generateMask = this.#generateMask;
    return { opcode: code, fin: true, rsv1: false, mask, readOnly, generateMask, maskBuffer: this.#mask };
  }

  #send(payload: Buffer | Blob, compress: boolean, options: FrameOptions, callback: Callback | undefined): void {
    const isReady = !compress && Buffer.isBuffer(payload);
    if (isReady && !this.#queue.isBusy) {
      this.sendFrame(Sender.frame(payload, options), callback);
      return;
    }
    this.#queue.add({
      size: sizeOf(payload),
      prepare: isReady ? undefined : () => this.#prepared(payload, compress, options),
      doing: isBlob(payload) ? "the blob was being read" : "data was being compressed",
      send: (prepared) => this.sendFrame(Sender.frame((prepared ?? payload) as Buffer, options), callback),
      fail: (error) => callback?.(error),
    });
  }

  /** The bytes of a Blob, and what is compressed. */
  async #prepared(payload: Buffer | Blob, compress: boolean, options: FrameOptions): Promise<Buffer> {
    const bytes = isBlob(payload) ? await bytesOfBlob(payload) : payload;
    options.readOnly &&= !compress;
    if (!compress) return bytes;
    return new Promise((resolve, reject) => {
      this.#deflate!.compress(bytes, Boolean(options.fin), (error, data) => {
        if (error === null) resolve(data!);
        else reject(error);
      });
    });
  }
}

/** Without takeover a short message is not compressed (as `ws`' documentation says of `threshold`). */
function isWorthIt(deflate: PerMessageDeflate, size: number): boolean {
  const { takeover, threshold } = compressionOf(deflate._isServer, deflate);
  return takeover || size >= threshold;
}

function payloadOf(data: unknown): Buffer | Blob {
  if (isBlob(data)) return data;
  if (typeof data === "string") return Buffer.from(data);
  const bytes = bytesOf(data);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Whether the bytes are the caller's. */
const isReadOnly = (payload: Buffer | Blob, data: unknown): boolean =>
  !isBlob(payload) && (data instanceof ArrayBuffer || ArrayBuffer.isView(data));

const sizeOf = (payload: Buffer | Blob): number => (isBlob(payload) ? payload.size : payload.length);

/** The payload of a close frame (RFC 6455 section 5.5.1). Throws for a code or a reason that can't be sent. */
function closePayload(code: number | undefined, reason: string | Uint8Array | undefined): Buffer {
  const given = givenReason(code, reason);
  if (code === undefined) return empty;
  const payload = Buffer.concat([Buffer.alloc(2), typeof given === "string" ? Buffer.from(given) : given]);
  payload.writeUInt16BE(code, 0);
  return payload;
}
